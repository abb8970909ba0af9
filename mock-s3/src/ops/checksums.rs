//! Additional checksums in answers.

use http::HeaderName;

use super::Answer;
use crate::checksum::Checksum;
use crate::xml::Xml;

const TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");

/// As headers of a read or write.
pub(super) fn tell(answer: Answer, checksum: &Checksum) -> Answer {
    let name = HeaderName::from_static(checksum.algorithm.header());
    answer.header(name, &checksum.value).header(TYPE, checksum.kind.name())
}

/// As elements of a document.
pub(super) fn write(xml: &mut Xml, checksum: &Checksum) {
    write_value(xml, checksum);
    xml.text("ChecksumType", checksum.kind.name());
}

/// As an element of a part, whose type goes without saying.
pub(super) fn write_value(xml: &mut Xml, checksum: &Checksum) {
    xml.text(checksum.algorithm.element(), &checksum.value);
}
