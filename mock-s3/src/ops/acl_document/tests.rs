use http::HeaderValue;

use super::*;
use crate::config::{Config, IdentityConfig};

const ALL: &str = "http://acs.amazonaws.com/groups/global/AllUsers";

struct World {
    accounts: Accounts,
    owner: Arc<Owner>,
    bucket_owner: Arc<Owner>,
}

fn world() -> World {
    let mut config = Config::new(Arc::new(gatecrash_model::Pool::new(1)), "us-east-1");
    for (name, account) in [("ann", "000000000001"), ("bob", "000000000002")] {
        let mut identity = IdentityConfig::new(name);
        identity.account = account.into();
        identity.email = Some(format!("{name}@example.org"));
        config.identities.push(identity);
    }
    let accounts = Accounts::new(&config);
    let (owner, bucket_owner) = (accounts.of("000000000002"), accounts.of("000000000001"));
    World { accounts, owner, bucket_owner }
}

impl World {
    fn parties(&self) -> Parties<'_> {
        Parties { accounts: &self.accounts, owner: &self.owner, bucket_owner: &self.bucket_owner }
    }

    /// The grants of an ACL as `who:permission`, with `o` and `b` for the two owners.
    fn show(&self, acl: &Acl) -> String {
        let name = |grantee: &Grantee| match grantee {
            Grantee::Account(who) if who.canonical == self.owner.canonical => "o".to_owned(),
            Grantee::Account(who) if who.canonical == self.bucket_owner.canonical => "b".to_owned(),
            Grantee::Account(who) => who.display.clone(),
            other => format!("{other:?}"),
        };
        let grants = acl.grants.as_deref().unwrap_or_default();
        let shown: Vec<_> =
            grants.iter().map(|g| format!("{}:{:?}", name(&g.grantee), g.permission)).collect();
        shown.join(" ")
    }
}

fn headers(pairs: &[(&'static str, String)]) -> HeaderMap {
    pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_str(v).unwrap())).collect()
}

#[test]
fn canned_acls() {
    let world = world();
    let table = [
        ("private", ""),
        ("public-read", "AllUsers:Read o:FullControl"),
        ("public-read-write", "AllUsers:Read AllUsers:Write o:FullControl"),
        ("authenticated-read", "AuthenticatedUsers:Read o:FullControl"),
        ("aws-exec-read", "za-team:Read o:FullControl"),
        ("bucket-owner-read", "o:FullControl b:Read"),
        ("bucket-owner-full-control", "o:FullControl b:FullControl"),
        ("log-delivery-write", "LogDelivery:Write LogDelivery:ReadAcp o:FullControl"),
    ];
    for (name, grants) in table {
        let acl = world.parties().of_headers(&headers(&[("x-amz-acl", name.into())])).unwrap().unwrap();
        assert_eq!(world.show(&acl), grants, "{name}");
    }
    let error = world.parties().of_headers(&headers(&[("x-amz-acl", "public-ready".into())])).unwrap_err();
    assert_eq!(error.code, "InvalidArgument");
}

#[test]
fn grants_by_header() {
    let world = world();
    let id = world.bucket_owner.canonical.clone();
    let read = format!("uri=\"{ALL}\", id={id}");
    let write = "emailAddress=\"BOB@example.org\"".to_owned();
    let given = headers(&[("x-amz-grant-read", read.clone()), ("x-amz-grant-write-acp", write)]);
    let acl = world.parties().of_headers(&given).unwrap().unwrap();
    assert_eq!(world.show(&acl), "AllUsers:Read b:Read o:WriteAcp");
    let table = [
        (vec![("x-amz-grant-read", "id=\"nobody\"".to_owned())], "InvalidArgument"),
        (vec![("x-amz-grant-read", "uri=\"http://x\"".to_owned())], "InvalidArgument"),
        (vec![("x-amz-grant-read", "nothing".to_owned())], "InvalidArgument"),
        (vec![("x-amz-grant-read", "emailAddress=x@y".to_owned())], "UnresolvableGrantByEmailAddress"),
        (vec![("x-amz-grant-read", read), ("x-amz-acl", "private".to_owned())], "InvalidRequest"),
    ];
    for (pairs, code) in table {
        assert_eq!(world.parties().of_headers(&headers(&pairs)).unwrap_err().code, code, "{pairs:?}");
    }
    assert_eq!(world.parties().of_headers(&HeaderMap::new()).unwrap(), None);
    let none = world.parties().requested(&HeaderMap::new(), b"").unwrap_err();
    assert_eq!(none.code, "MissingSecurityHeader");
}

#[test]
fn documents_come_back_as_they_were() {
    let world = world();
    let grantee = |who: &Arc<Owner>| Grantee::Account(Arc::clone(who));
    let acl = Acl::granting(vec![
        Grant { grantee: grantee(&world.bucket_owner), permission: Permission::WriteAcp },
        Grant { grantee: Grantee::AllUsers, permission: Permission::Read },
    ]);
    let document = render(&world.owner, &acl);
    assert!(document.contains("<Permission>WRITE_ACP</Permission>"), "{document}");
    assert_eq!(world.parties().requested(&HeaderMap::new(), document.as_bytes()).unwrap(), acl);
    let private = render(&world.owner, &Acl::default());
    assert!(private.contains("xsi:type=\"CanonicalUser\"><ID>") && private.contains("FULL_CONTROL"));
    let foreign = render(&world.bucket_owner, &acl);
    let code = |body: &str| world.parties().requested(&HeaderMap::new(), body.as_bytes()).unwrap_err().code;
    assert_eq!(code(&foreign), "AccessDenied");
    assert_eq!(code("<AccessControlPolicy>"), "MalformedACLError");
    assert_eq!(code(&document.replace("WRITE_ACP", "WRITES")), "MalformedACLError");
    let given = headers(&[("x-amz-acl", "private".into())]);
    assert_eq!(world.parties().requested(&given, document.as_bytes()).unwrap_err().code, "UnexpectedContent");
}

#[test]
fn what_a_bucket_takes() {
    let world = world();
    let acl = |name: &str| {
        let parties = Parties { owner: &world.bucket_owner, ..world.parties() };
        parties.of_headers(&headers(&[("x-amz-acl", name.to_owned())])).unwrap().unwrap()
    };
    let admits = |state: &BucketState, name: &str, new| {
        admit(state, &world.bucket_owner, &acl(name), new).map_err(|error| error.code.into_owned())
    };
    let enforced = BucketState { ownership: Some(Ownership::BucketOwnerEnforced), ..BucketState::default() };
    assert_eq!(admits(&enforced, "bucket-owner-full-control", true), Ok(()));
    for (name, new) in [("private", true), ("public-read", true), ("bucket-owner-full-control", false)] {
        assert_eq!(admits(&enforced, name, new), Err("AccessControlListNotSupported".into()), "{name}");
    }
    let block = crate::store::BlockPublic { acls: true, ..Default::default() };
    let blocked = BucketState { block: Some(block), ..BucketState::default() };
    assert_eq!(admits(&blocked, "private", true), Ok(()));
    assert_eq!(admits(&blocked, "authenticated-read", false), Err("AccessDenied".into()));
}
