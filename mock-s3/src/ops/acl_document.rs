//! Access control lists as S3 reads and writes them: canned names, grant headers, and the document.
//!
//! Rules: S3 user guide, "Access control list (ACL) overview"; API reference, PutObjectAcl and PutBucketAcl.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};

use crate::accounts::Accounts;
use crate::errors::S3Error;
use crate::store::{Acl, BucketState, Grant, Grantee, Owner, Ownership, Permission};
use crate::xml::Xml;
use crate::xml_tree::Node;

pub(super) const CANNED: HeaderName = HeaderName::from_static("x-amz-acl");
/// An ACL holds at most this many grants.
const MAX_GRANTS: usize = 100;

const GRANT_HEADERS: [(HeaderName, Permission); 5] = [
    (HeaderName::from_static("x-amz-grant-read"), Permission::Read),
    (HeaderName::from_static("x-amz-grant-write"), Permission::Write),
    (HeaderName::from_static("x-amz-grant-read-acp"), Permission::ReadAcp),
    (HeaderName::from_static("x-amz-grant-write-acp"), Permission::WriteAcp),
    (HeaderName::from_static("x-amz-grant-full-control"), Permission::FullControl),
];

const PERMISSIONS: [(&str, Permission); 5] = [
    ("FULL_CONTROL", Permission::FullControl),
    ("READ", Permission::Read),
    ("READ_ACP", Permission::ReadAcp),
    ("WRITE", Permission::Write),
    ("WRITE_ACP", Permission::WriteAcp),
];

const GROUPS: [(&str, Grantee); 3] = [
    ("http://acs.amazonaws.com/groups/global/AllUsers", Grantee::AllUsers),
    ("http://acs.amazonaws.com/groups/global/AuthenticatedUsers", Grantee::AuthenticatedUsers),
    ("http://acs.amazonaws.com/groups/s3/LogDelivery", Grantee::LogDelivery),
];

/// Whose ACL it is, and who the accounts are that it names.
#[derive(Clone, Copy)]
pub(super) struct Parties<'a> {
    pub(super) accounts: &'a Accounts,
    /// Of the object, or of the bucket when the ACL is the bucket's.
    pub(super) owner: &'a Arc<Owner>,
    pub(super) bucket_owner: &'a Arc<Owner>,
}

/// Whether a request header sets an ACL.
pub(super) fn is_acl_header(name: &HeaderName) -> bool {
    *name == CANNED || GRANT_HEADERS.iter().any(|(known, _)| known == name)
}

/// The document of an ACL.
pub(super) fn render(owner: &Owner, acl: &Acl) -> String {
    let mut xml = Xml::root("AccessControlPolicy");
    xml.open("Owner");
    account(&mut xml, owner);
    xml.close("Owner");
    xml.open("AccessControlList");
    match &acl.grants {
        None => granted(&mut xml, "FULL_CONTROL", "CanonicalUser", |xml| account(xml, owner)),
        Some(grants) => grants.iter().for_each(|grant| written(&mut xml, grant)),
    }
    xml.close("AccessControlList");
    xml.close("AccessControlPolicy");
    xml.finish()
}

/// The document of any ACL while ACLs are off: the bucket's owner has full control.
pub(super) fn rendered_in(state: &BucketState, bucket_owner: &Owner, owner: &Owner, acl: &Acl) -> String {
    match state.ownership {
        Some(Ownership::BucketOwnerEnforced) => render(bucket_owner, &Acl::default()),
        _ => render(owner, acl),
    }
}

impl Parties<'_> {
    /// The ACL of a request that sets one, by headers or by its body.
    pub(super) fn requested(&self, headers: &HeaderMap, body: &[u8]) -> Result<Acl, S3Error> {
        match (self.of_headers(headers)?, body.is_empty()) {
            (Some(acl), true) => Ok(acl),
            (Some(_), false) => Err(S3Error::of("UnexpectedContent")),
            (None, false) => self.of_document(body),
            (None, true) => {
                Err(S3Error::of("MissingSecurityHeader").extra("MissingHeaderName", CANNED.as_str()))
            }
        }
    }

    /// The ACL named by headers, if they name one.
    pub(super) fn of_headers(&self, headers: &HeaderMap) -> Result<Option<Acl>, S3Error> {
        let mut grants = Vec::new();
        for (name, permission) in &GRANT_HEADERS {
            for value in headers.get_all(name) {
                let malformed = || argument("Argument format not recognized", name.as_str(), "");
                self.granted_by(
                    name.as_str(),
                    value.to_str().map_err(|_| malformed())?,
                    *permission,
                    &mut grants,
                )?;
            }
        }
        let canned = headers.get(CANNED).map(|value| value.to_str().unwrap_or_default());
        match (canned, grants.is_empty()) {
            (None, true) => Ok(None),
            (Some(canned), true) => self.canned(canned).map(Some),
            (None, false) => bounded(grants).map(Some),
            (Some(_), false) => Err(S3Error::of("InvalidRequest")
                .message("Specifying both Canned ACLs and Header Grants is not allowed")),
        }
    }

    /// A canned ACL (S3 user guide, "Canned ACL"). AWS promises no order of grants: groups come first here.
    fn canned(&self, name: &str) -> Result<Acl, S3Error> {
        let grant = |grantee, permission| Grant { grantee, permission };
        let owner = || grant(Grantee::Account(Arc::clone(self.owner)), Permission::FullControl);
        let bucket_owner = |permission| grant(Grantee::Account(Arc::clone(self.bucket_owner)), permission);
        let is_other = self.bucket_owner.canonical != self.owner.canonical;
        Ok(Acl::granting(match name {
            "private" => return Ok(Acl::default()),
            "public-read" => vec![grant(Grantee::AllUsers, Permission::Read), owner()],
            "public-read-write" => vec![
                grant(Grantee::AllUsers, Permission::Read),
                grant(Grantee::AllUsers, Permission::Write),
                owner(),
            ],
            "authenticated-read" => vec![grant(Grantee::AuthenticatedUsers, Permission::Read), owner()],
            "aws-exec-read" => vec![grant(Grantee::Account(Arc::new(ec2())), Permission::Read), owner()],
            "log-delivery-write" => vec![
                grant(Grantee::LogDelivery, Permission::Write),
                grant(Grantee::LogDelivery, Permission::ReadAcp),
                owner(),
            ],
            "bucket-owner-read" if is_other => vec![owner(), bucket_owner(Permission::Read)],
            "bucket-owner-full-control" if is_other => vec![owner(), bucket_owner(Permission::FullControl)],
            "bucket-owner-read" | "bucket-owner-full-control" => vec![owner()],
            other => return Err(argument("", CANNED.as_str(), other)),
        }))
    }

    /// `id="…", uri="…", emailAddress="…"`, with or without quotes.
    fn granted_by(
        &self,
        header: &str,
        value: &str,
        permission: Permission,
        grants: &mut Vec<Grant>,
    ) -> Result<(), S3Error> {
        for pair in value.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let unread = || argument("Argument format not recognized", header, value);
            let (kind, named) = pair.split_once('=').ok_or_else(unread)?;
            let named = named.trim().trim_matches('"');
            let grantee = match kind.trim().to_ascii_lowercase().as_str() {
                "id" => self.canonical(named, "id")?,
                "emailaddress" => self.email(named)?,
                "uri" => group(named)?,
                _ => return Err(unread()),
            };
            grants.push(Grant { grantee, permission });
        }
        Ok(())
    }

    /// The ACL of a document.
    fn of_document(&self, body: &[u8]) -> Result<Acl, S3Error> {
        let malformed = || S3Error::of("MalformedACLError");
        let root =
            Node::parse(body).filter(|root| root.name == "AccessControlPolicy").ok_or_else(malformed)?;
        if let Some(owner) = root.child("Owner")
            && owner.value("ID").is_some_and(|id| id != self.owner.canonical)
        {
            return Err(S3Error::of("AccessDenied"));
        }
        let list = root.child("AccessControlList").ok_or_else(malformed)?;
        let grants = list.all("Grant").map(|node| {
            let grantee = node.child("Grantee").ok_or_else(malformed)?;
            let permission = node.value("Permission").and_then(permission).ok_or_else(malformed)?;
            let value = |name| grantee.value(name).ok_or_else(malformed);
            let grantee = match grantee.attribute("type") {
                Some("CanonicalUser") => self.canonical(value("ID")?, "CanonicalUser/ID")?,
                Some("AmazonCustomerByEmail") => self.email(value("EmailAddress")?)?,
                Some("Group") => group(value("URI")?)?,
                _ => return Err(malformed()),
            };
            Ok(Grant { grantee, permission })
        });
        bounded(grants.collect::<Result<_, S3Error>>()?)
    }

    fn canonical(&self, id: &str, name: &'static str) -> Result<Grantee, S3Error> {
        let account = self.accounts.by_canonical(id);
        account.map(Grantee::Account).ok_or_else(|| argument("Invalid id", name, id))
    }

    fn email(&self, address: &str) -> Result<Grantee, S3Error> {
        let account = self.accounts.by_email(address);
        account
            .map(Grantee::Account)
            .ok_or_else(|| S3Error::of("UnresolvableGrantByEmailAddress").extra("EmailAddress", address))
    }
}

/// Refuses an ACL that the bucket's settings do not take. `new`: it comes with a new object, where one that gives
/// the bucket's owner full control is no ACL at all (API reference, OwnershipControlsRule).
pub(super) fn admit(state: &BucketState, bucket_owner: &Owner, acl: &Acl, new: bool) -> Result<(), S3Error> {
    if state.ownership == Some(Ownership::BucketOwnerEnforced) {
        let is_owners = |grant: &Grant| {
            let to = matches!(&grant.grantee, Grantee::Account(to) if to.canonical == bucket_owner.canonical);
            to && grant.permission == Permission::FullControl
        };
        let harmless = acl.grants.as_ref().is_some_and(|grants| grants.iter().all(is_owners));
        return match new && harmless {
            true => Ok(()),
            false => Err(S3Error::of("AccessControlListNotSupported")),
        };
    }
    match state.block.is_some_and(|block| block.acls) && acl.is_public() {
        true => Err(S3Error::of("AccessDenied")),
        false => Ok(()),
    }
}

fn bounded(grants: Vec<Grant>) -> Result<Acl, S3Error> {
    match grants.len() > MAX_GRANTS {
        true => Err(S3Error::of("MalformedACLError")),
        false => Ok(Acl::granting(grants)),
    }
}

fn group(uri: &str) -> Result<Grantee, S3Error> {
    let known = GROUPS.iter().find(|(known, _)| *known == uri).map(|(_, group)| group.clone());
    known.ok_or_else(|| argument("Invalid group uri", "Group/URI", uri))
}

fn permission(name: &str) -> Option<Permission> {
    PERMISSIONS.iter().find(|(known, _)| *known == name).map(|(_, permission)| *permission)
}

fn argument(message: &'static str, name: &str, value: &str) -> S3Error {
    let error = S3Error::of("InvalidArgument").extra("ArgumentName", name).extra("ArgumentValue", value);
    if message.is_empty() { error } else { error.message(message) }
}

/// Whom `aws-exec-read` means.
fn ec2() -> Owner {
    Owner {
        account: String::new(),
        canonical: "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c".to_owned(),
        display: "za-team".to_owned(),
        email: String::new(),
    }
}

fn account(xml: &mut Xml, owner: &Owner) {
    xml.text("ID", &owner.canonical);
    xml.text("DisplayName", &owner.display);
}

fn written(xml: &mut Xml, grant: &Grant) {
    let permission = PERMISSIONS.iter().find(|(_, permission)| *permission == grant.permission);
    let permission = permission.map_or("", |(name, _)| name);
    match &grant.grantee {
        Grantee::Account(owner) => granted(xml, permission, "CanonicalUser", |xml| account(xml, owner)),
        group => {
            let uri = GROUPS.iter().find(|(_, known)| known == group).map_or("", |(uri, _)| uri);
            granted(xml, permission, "Group", |xml| xml.text("URI", uri));
        }
    }
}

fn granted(xml: &mut Xml, permission: &str, kind: &str, grantee: impl FnOnce(&mut Xml)) {
    const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
    xml.open("Grant");
    xml.open(&format!("Grantee xmlns:xsi=\"{INSTANCE}\" xsi:type=\"{kind}\""));
    grantee(xml);
    xml.close("Grantee");
    xml.text("Permission", permission);
    xml.close("Grant");
}

#[cfg(test)]
#[path = "acl_document/tests.rs"]
mod tests;
