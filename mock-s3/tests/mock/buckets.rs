//! Buckets: how they are made, and what is configured on them.

use std::sync::Arc;

use gatecrash_mock_s3::{IdentityConfig, NewBuckets, NoFaults};

use crate::support::{Bench, EAST, Reply, Request, StepClock, WEST, config, get, request};

/// A bucket of the admin's account, made in the east.
struct Bucket(Bench);

impl Bucket {
    async fn made() -> Self {
        Self::made_with(NewBuckets::Classic).await
    }

    async fn made_with(new_buckets: NewBuckets) -> Self {
        let mut config = config();
        config.new_buckets = new_buckets;
        let mut other = IdentityConfig::new("other").allow(&["*"], &["*"]);
        other.account = "000000000002".into();
        other.email = Some("other@example.org".into());
        config.identities.push(other);
        let bench = Bench::with(config, Arc::new(StepClock::default()), Arc::new(NoFaults)).await;
        let bucket = Self(bench);
        assert_eq!(bucket.send(request("PUT", "/fresh")).await.status, 200);
        bucket
    }

    async fn send(&self, request: Request<'_>) -> Reply {
        self.0.signed("admin", EAST, request).await
    }

    async fn put(&self, target: &str, body: &str) -> (u16, String) {
        self.send(request("PUT", target).body(body.as_bytes())).await.verdict()
    }

    /// The document without its declaration.
    async fn get(&self, target: &str) -> String {
        let reply = self.send(get(target)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply
            .text()
            .split_once('\n')
            .unwrap()
            .1
            .replace(" xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"", "")
    }
}

fn ok() -> (u16, String) {
    (200, String::new())
}

fn no_content() -> (u16, String) {
    (204, String::new())
}

#[tokio::test]
async fn a_bucket_goes_to_the_region_it_names() {
    let bench = Bench::start().await;
    let create = async |region, name: &str, constraint: &str| {
        let target = format!("/{name}");
        let body = format!(
            "<CreateBucketConfiguration><LocationConstraint>{constraint}</LocationConstraint>\
             </CreateBucketConfiguration>"
        );
        let body = if constraint.is_empty() { String::new() } else { body };
        let reply = bench.signed("admin", region, request("PUT", &target).body(body.as_bytes())).await;
        (reply.status, reply.element("Code").or(reply.header("location").map(str::to_owned)).unwrap())
    };
    let table = [
        (EAST, "in-east", "", 200, "/in-east"),
        (EAST, "from-east", WEST, 200, "http://from-east.s3.amazonaws.com/"),
        (EAST, "nowhere", "mars-1", 400, "InvalidLocationConstraint"),
        (EAST, "nowhere", EAST, 400, "InvalidLocationConstraint"),
        (WEST, "in-west", WEST, 200, "http://in-west.s3.amazonaws.com/"),
        (WEST, "in-west", WEST, 409, "BucketAlreadyOwnedByYou"),
        (WEST, "nowhere", "", 400, "IllegalLocationConstraintException"),
        (WEST, "nowhere", EAST, 400, "IllegalLocationConstraintException"),
        (EAST, "192.168.5.4", "", 400, "InvalidBucketName"),
        (EAST, "in-east", "", 200, "/in-east"),
        (EAST, "in-west", "", 409, "BucketAlreadyOwnedByYou"),
    ];
    for (region, name, constraint, status, tells) in table {
        assert_eq!(
            create(region, name, constraint).await,
            (status, tells.into()),
            "{region} {name} {constraint}"
        );
    }
    let location = async |region, target| bench.signed("admin", region, get(target)).await.text();
    assert!(location(EAST, "/in-east?location=").await.ends_with("2006-03-01/\"></LocationConstraint>"));
    assert!(location(WEST, "/from-east?location=").await.ends_with("\">us-west-2</LocationConstraint>"));
    let body = b"<Nonsense/>";
    let reply = bench.signed("admin", EAST, request("PUT", "/bad-body").body(body)).await;
    assert_eq!(reply.verdict(), (400, "MalformedXML".into()));
    assert_eq!(bench.send(EAST, request("PUT", "/anonymous")).await.verdict(), (403, "AccessDenied".into()));
}

#[tokio::test]
async fn another_account_cannot_take_the_name() {
    let bucket = Bucket::made().await;
    let reply = bucket.0.signed("other", EAST, request("PUT", "/fresh")).await;
    assert_eq!(reply.verdict(), (409, "BucketAlreadyExists".into()));
    let head = bucket.0.signed("other", EAST, request("HEAD", "/fresh")).await;
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (403, Some(EAST)));
    let head = bucket.send(request("HEAD", "/fresh")).await;
    assert_eq!((head.status, head.header("x-amz-bucket-arn")), (200, Some("arn:aws:s3:::fresh")));
}

#[tokio::test]
async fn the_expected_owner_is_checked() {
    let bucket = Bucket::made().await;
    for (owner, status) in [("000000000001", 200), ("000000000002", 403), ("me", 400)] {
        let reply = bucket.send(get("/fresh?acl=").header("x-amz-expected-bucket-owner", owner)).await;
        assert_eq!(reply.status, status, "{owner}");
    }
}

#[tokio::test]
async fn versioning_is_turned_on_and_suspended_and_never_off() {
    let bucket = Bucket::made().await;
    assert_eq!(bucket.get("/fresh?versioning=").await, "<VersioningConfiguration></VersioningConfiguration>");
    let put = async |status: &str| {
        let body = format!("<VersioningConfiguration>{status}</VersioningConfiguration>");
        bucket.put("/fresh?versioning=", &body).await
    };
    assert_eq!(put("<Status>Suspended</Status>").await, ok());
    assert_eq!(put("<Status>Enabled</Status>").await, ok());
    assert_eq!(put("").await, (400, "IllegalVersioningConfigurationException".into()));
    assert_eq!(put("<Status>enabled</Status>").await, (400, "MalformedXML".into()));
    assert!(bucket.get("/fresh?versioning=").await.contains("<Status>Enabled</Status>"));
    assert_eq!(bucket.put("/fresh?versioning=", "").await, (400, "MissingRequestBodyError".into()));
}

#[tokio::test]
async fn object_lock_comes_with_the_bucket_or_later_and_keeps_versioning_on() {
    let bucket = Bucket::made().await;
    let lock = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>\
        <Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>";
    let missing = bucket.send(get("/fresh?object-lock=")).await;
    assert_eq!(missing.verdict(), (404, "ObjectLockConfigurationNotFoundError".into()));
    assert_eq!(bucket.put("/fresh?object-lock=", lock).await, (409, "InvalidBucketState".into()));
    let with_lock = request("PUT", "/locked").header("x-amz-bucket-object-lock-enabled", "true");
    assert_eq!(bucket.send(with_lock).await.status, 200);
    let bare =
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    assert_eq!(bucket.get("/locked?object-lock=").await, bare);
    assert_eq!(bucket.put("/locked?object-lock=", lock).await, ok());
    assert_eq!(bucket.get("/locked?object-lock=").await, lock);
    let suspend = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    assert_eq!(bucket.put("/locked?versioning=", suspend).await, (409, "InvalidBucketState".into()));
}

#[tokio::test]
async fn tags() {
    let bucket = Bucket::made().await;
    let missing = bucket.send(get("/fresh?tagging=")).await;
    assert_eq!(missing.verdict(), (404, "NoSuchTagSet".into()));
    let tag = |key: &str| format!("<Tag><Key>{key}</Key><Value>v</Value></Tag>");
    let tagging = |tags: &str| format!("<Tagging><TagSet>{tags}</TagSet></Tagging>");
    let two = tagging(&(tag("a") + &tag("b")));
    assert_eq!(bucket.put("/fresh?tagging=", &two).await, no_content());
    assert_eq!(bucket.get("/fresh?tagging=").await, two);
    let twice = tagging(&(tag("a") + &tag("a")));
    assert_eq!(bucket.put("/fresh?tagging=", &twice).await, (400, "InvalidTag".into()));
    assert_eq!(bucket.put("/fresh?tagging=", &tagging(&tag("aws:x"))).await, (400, "InvalidTag".into()));
    let many: String = (0..51).map(|n| tag(&n.to_string())).collect();
    assert_eq!(bucket.put("/fresh?tagging=", &tagging(&many)).await, (400, "BadRequest".into()));
    assert_eq!(bucket.send(request("DELETE", "/fresh?tagging=")).await.verdict(), no_content());
    assert_eq!(bucket.send(get("/fresh?tagging=")).await.status, 404);
    let with_tags =
        format!("<CreateBucketConfiguration><Tags>{}</Tags></CreateBucketConfiguration>", tag("a"));
    assert_eq!(bucket.put("/tagged", &with_tags).await, ok());
    assert_eq!(bucket.get("/tagged?tagging=").await, tagging(&tag("a")));
}

#[tokio::test]
async fn acls_and_who_may_have_them() {
    let bucket = Bucket::made().await;
    let put =
        async |acl: &str| bucket.send(request("PUT", "/fresh?acl=").header("x-amz-acl", acl)).await.verdict();
    assert_eq!(put("public-read").await, ok());
    assert_eq!(put("nonsense").await, (400, "InvalidArgument".into()));
    assert!(
        bucket.get("/fresh?acl=").await.contains("groups/global/AllUsers</URI></Grantee><Permission>READ<")
    );
    assert_eq!(bucket.0.send(EAST, get("/fresh?list-type=2")).await.status, 200);
    let enforced = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>\
        </OwnershipControls>";
    let conflict = (400, "InvalidBucketAclWithObjectOwnership".into());
    assert_eq!(bucket.put("/fresh?ownershipControls=", enforced).await, conflict);
    assert_eq!(put("private").await, ok());
    assert_eq!(bucket.put("/fresh?ownershipControls=", enforced).await, ok());
    assert_eq!(bucket.get("/fresh?ownershipControls=").await, enforced);
    assert_eq!(put("public-read").await, (400, "AccessControlListNotSupported".into()));
    assert_eq!(bucket.send(request("DELETE", "/fresh?ownershipControls=")).await.status, 204);
    let missing = bucket.send(get("/fresh?ownershipControls=")).await;
    assert_eq!(missing.verdict(), (404, "OwnershipControlsNotFoundError".into()));
    let grant =
        request("PUT", "/fresh?acl=").header("x-amz-grant-read", "emailAddress=\"other@example.org\"");
    assert_eq!(bucket.send(grant).await.status, 200);
    assert_eq!(bucket.0.signed("other", EAST, get("/fresh?list-type=2")).await.status, 200);
    assert_eq!(bucket.0.signed("other", EAST, get("/fresh?acl=")).await.status, 403);
    let nobody = request("PUT", "/fresh?acl=").header("x-amz-grant-read", "emailAddress=\"x@example.org\"");
    assert_eq!(bucket.send(nobody).await.verdict(), (400, "UnresolvableGrantByEmailAddress".into()));
}

#[tokio::test]
async fn public_access_is_blocked() {
    let bucket = Bucket::made().await;
    let missing = bucket.send(get("/fresh?publicAccessBlock=")).await;
    assert_eq!(missing.verdict(), (404, "NoSuchPublicAccessBlockConfiguration".into()));
    let acl = || request("PUT", "/fresh?acl=").header("x-amz-acl", "public-read");
    assert_eq!(bucket.send(acl()).await.status, 200);
    let block = |what: &str| {
        format!("<PublicAccessBlockConfiguration><{what}>true</{what}></PublicAccessBlockConfiguration>")
    };
    assert_eq!(bucket.put("/fresh?publicAccessBlock=", &block("BlockPublicAcls")).await, ok());
    assert_eq!(bucket.send(acl()).await.verdict(), (403, "AccessDenied".into()));
    assert_eq!(bucket.0.send(EAST, get("/fresh?list-type=2")).await.status, 200);
    assert_eq!(bucket.put("/fresh?publicAccessBlock=", &block("IgnorePublicAcls")).await, ok());
    assert_eq!(bucket.0.send(EAST, get("/fresh?list-type=2")).await.status, 403);
    let told = bucket.get("/fresh?publicAccessBlock=").await;
    assert!(
        told.contains("<BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>")
    );
    assert_eq!(bucket.send(request("DELETE", "/fresh?publicAccessBlock=")).await.status, 204);
    assert_eq!(bucket.0.send(EAST, get("/fresh?list-type=2")).await.status, 200);
}

#[tokio::test]
async fn new_buckets_since_2023_have_no_acls_and_nothing_public() {
    let bucket = Bucket::made_with(NewBuckets::Since2023).await;
    assert!(bucket.get("/fresh?ownershipControls=").await.contains("BucketOwnerEnforced"));
    assert_eq!(bucket.get("/fresh?publicAccessBlock=").await.matches("true").count(), 4);
    let public = |name| request("PUT", name).header("x-amz-acl", "public-read");
    let refused = bucket.send(public("/second")).await;
    assert_eq!(refused.verdict(), (400, "InvalidBucketAclWithObjectOwnership".into()));
    let with_acls = public("/second").header("x-amz-object-ownership", "ObjectWriter");
    assert_eq!(bucket.send(with_acls).await.verdict(), (403, "AccessDenied".into()));
    let private = request("PUT", "/second").header("x-amz-object-ownership", "ObjectWriter");
    assert_eq!(bucket.send(private).await.status, 200);
    let unknown = request("PUT", "/third").header("x-amz-object-ownership", "Mine");
    assert_eq!(bucket.send(unknown).await.verdict(), (400, "InvalidArgument".into()));
}

#[tokio::test]
async fn documents_are_kept_and_sent_back() {
    let bucket = Bucket::made().await;
    let versions = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    assert_eq!(bucket.put("/fresh?versioning=", versions).await, ok());
    let table = [
        (
            "website",
            "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>",
            "<WebsiteConfiguration></WebsiteConfiguration>",
            "InvalidArgument",
            "NoSuchWebsiteConfiguration",
        ),
        (
            "lifecycle",
            "<LifecycleConfiguration><Rule><ID>a</ID><Filter><Prefix>p</Prefix></Filter><Status>Enabled</Status>\
             <Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>",
            "<LifecycleConfiguration><Rule><ID>a</ID><Status>On</Status><Expiration><Days>1</Days></Expiration>\
             </Rule></LifecycleConfiguration>",
            "MalformedXML",
            "NoSuchLifecycleConfiguration",
        ),
        (
            "replication",
            "<ReplicationConfiguration><Role>arn:aws:iam::000000000001:role/r</Role><Rule><ID>a</ID>\
             <Status>Enabled</Status><Prefix></Prefix><Destination><Bucket>arn:aws:s3:::fresh</Bucket>\
             </Destination></Rule></ReplicationConfiguration>",
            "<ReplicationConfiguration><Role>arn:aws:iam::000000000001:role/r</Role><Rule><ID>a</ID>\
             <Status>Enabled</Status><Prefix></Prefix><Destination><Bucket>arn:aws:s3:::none</Bucket>\
             </Destination></Rule></ReplicationConfiguration>",
            "InvalidRequest",
            "ReplicationConfigurationNotFoundError",
        ),
        (
            "encryption",
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
             <SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>\
             </ServerSideEncryptionConfiguration>",
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
             <SSEAlgorithm>rot13</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>\
             </ServerSideEncryptionConfiguration>",
            "MalformedXML",
            "",
        ),
    ];
    for (name, good, bad, bad_code, absent) in table {
        let target = format!("/fresh?{name}=");
        let missing = bucket.send(get(&target)).await;
        assert_eq!(missing.element("Code").unwrap_or_default(), absent, "{name}");
        assert_eq!(bucket.put(&target, good).await, ok(), "{name}");
        assert_eq!(bucket.get(&target).await, good, "{name}");
        assert_eq!(bucket.put(&target, bad).await, (400, bad_code.into()), "{name}");
        assert_eq!(bucket.put(&target, "<Other/>").await, (400, "MalformedXML".into()), "{name}");
        assert_eq!(bucket.send(request("DELETE", &target)).await.verdict(), no_content(), "{name}");
        assert_eq!(bucket.send(get(&target)).await.element("Code").unwrap_or_default(), absent, "{name}");
    }
    assert!(bucket.get("/fresh?encryption=").await.contains("<SSEAlgorithm>AES256</SSEAlgorithm>"));
    let logging = |target: &str| {
        format!(
            "<BucketLoggingStatus><LoggingEnabled><TargetBucket>{target}</TargetBucket>\
             <TargetPrefix>logs/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>"
        )
    };
    assert_eq!(bucket.get("/fresh?logging=").await, "<BucketLoggingStatus></BucketLoggingStatus>");
    assert_eq!(bucket.put("/fresh?logging=", &logging("fresh")).await, ok());
    assert_eq!(bucket.get("/fresh?logging=").await, logging("fresh"));
    let nowhere = bucket.put("/fresh?logging=", &logging("none")).await;
    assert_eq!(nowhere, (400, "InvalidTargetBucketForLogging".into()));
    assert_eq!(bucket.put("/fresh?logging=", "<BucketLoggingStatus/>").await, ok());
    assert_eq!(bucket.get("/fresh?logging=").await, "<BucketLoggingStatus></BucketLoggingStatus>");
    let pays = "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>";
    assert!(bucket.get("/fresh?requestPayment=").await.contains("<Payer>BucketOwner</Payer>"));
    assert_eq!(bucket.put("/fresh?requestPayment=", pays).await, ok());
    assert_eq!(bucket.get("/fresh?requestPayment=").await, pays);
}
