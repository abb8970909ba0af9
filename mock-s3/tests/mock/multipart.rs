//! Multipart uploads, with the official client and byte by byte.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
};

use crate::sdk::{bench, client};
use crate::support::EAST;

const BIG: usize = 5 << 20;

/// Uploads parts of a letter each; what completes them.
async fn parts(
    s3: &Client,
    key: &str,
    id: &str,
    lengths: &[usize],
    sum: Option<ChecksumAlgorithm>,
) -> CompletedMultipartUpload {
    let mut parts = CompletedMultipartUpload::builder();
    for (number, length) in (1..).zip(lengths) {
        let body = vec![b'a' + number as u8 - 1; *length];
        let put = s3.upload_part().bucket("reports").key(key).upload_id(id).part_number(number);
        let put = put.set_checksum_algorithm(sum.clone()).body(ByteStream::from(body)).send().await.unwrap();
        parts = parts.parts(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(put.e_tag)
                .set_checksum_crc32(put.checksum_crc32)
                .set_checksum_crc32_c(put.checksum_crc32_c)
                .set_checksum_sha256(put.checksum_sha256)
                .set_checksum_crc64_nvme(put.checksum_crc64_nvme)
                .build(),
        );
    }
    parts.build()
}

#[tokio::test]
async fn an_object_is_made_of_parts() {
    let bench = bench().await;
    let s3 = client(&bench, "app", EAST, EAST);
    let begun = s3.create_multipart_upload().bucket("reports").key("up/big").metadata("colour", "red");
    let begun = begun.content_type("text/plain").send().await.unwrap();
    let id = begun.upload_id().unwrap();
    eprintln!("{:?}", begun);
    let parts = parts(&s3, "up/big", id, &[BIG, BIG + 1, 7], None).await;
    let done = s3.complete_multipart_upload().bucket("reports").key("up/big").upload_id(id);
    let done = done.multipart_upload(parts.clone()).send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-3\""));
    let got = s3
        .get_object()
        .bucket("reports")
        .key("up/big")
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await
        .unwrap();
    assert_eq!(got.content_type(), Some("text/plain"));
    assert_eq!(got.metadata().unwrap()["colour"], "red");
    let body = got.body.collect().await.unwrap().to_vec();
    assert_eq!((body.len(), body[BIG], body[2 * BIG + 1]), (2 * BIG + 8, b'b', b'c'));
    // Once more gives the same; with other parts, or when the object is gone, there is no such upload.
    let again = s3.complete_multipart_upload().bucket("reports").key("up/big").upload_id(id);
    let again = again.multipart_upload(parts).send().await.unwrap();
    assert_eq!(again.e_tag(), done.e_tag());
}
