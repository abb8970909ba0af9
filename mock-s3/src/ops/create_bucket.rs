//! PUT /bucket

use gatecrash_model::{Decision, hash};
use http::header::LOCATION;
use http::{HeaderName, StatusCode};

use super::acl_document::{self, Parties};
use super::bucket_name::is_bucket_name;
use super::{Answer, Call, document, ownership_controls, tags};
use crate::access::Access;
use crate::config::{DEFAULT_ACCOUNT, NewBuckets};
use crate::errors::S3Error;
use crate::store::{Acl, BlockPublic, Bucket, BucketState, ObjectLock, Owner, Ownership, Versioning, arn};
use crate::xml_tree::Node;

const OBJECT_OWNERSHIP: HeaderName = HeaderName::from_static("x-amz-object-ownership");
const LOCK_ENABLED: HeaderName = HeaderName::from_static("x-amz-bucket-object-lock-enabled");
pub(super) const BUCKET_ARN: HeaderName = HeaderName::from_static("x-amz-bucket-arn");
/// The region whose buckets are made without a constraint.
const FIRST_REGION: &str = "us-east-1";

/// Makes an empty bucket in this region; the first region makes buckets of other regions too.
pub(super) fn run(call: &Call<'_>) -> Result<Answer, S3Error> {
    let name = call.head.bucket.as_str();
    if !is_bucket_name(name) {
        return Err(S3Error::of("InvalidBucketName").extra("BucketName", name));
    }
    authorise(call)?;
    let configuration = match call.body.document() {
        body if body.is_empty() => Node::default(),
        _ => document::of(call, "CreateBucketConfiguration")?,
    };
    let region = region(call, &configuration)?;
    let owner = call.shared.accounts.of(call.access.account().unwrap_or(DEFAULT_ACCOUNT));
    let state = state(call, &configuration, &owner)?;
    let seed = hash::combine(&[call.shared.seed, hash::bytes(name.as_bytes()), call.wall as u64]);
    let bucket = Bucket::empty(name, owner.clone(), call.wall, seed);
    let acl = state.acl.clone();
    if call.shared.store.create(region, bucket, state).is_err() {
        again(call, region, &owner, acl)?;
    }
    let location = match call.shared.regions[region].as_str() {
        FIRST_REGION => format!("/{name}"),
        _ => format!("http://{name}.s3.amazonaws.com/"),
    };
    let mut answer = Answer::new(StatusCode::OK)
        .header(LOCATION, &location)
        .header(BUCKET_ARN, &arn(name, ""))
        .body_empty()
        .applied(true);
    answer.decision = Some(Decision::Allowed);
    Ok(answer)
}

/// The caller's own policies decide; a bucket of that name that exists already has no say.
fn authorise(call: &Call<'_>) -> Result<(), S3Error> {
    let access = Access { placement: None, ..call.access };
    let mut actions = vec!["s3:CreateBucket"];
    if call.head.headers.keys().any(acl_document::is_acl_header) {
        actions.push("s3:PutBucketAcl");
    }
    if call.head.header(&OBJECT_OWNERSHIP).is_some() {
        actions.push("s3:PutBucketOwnershipControls");
    }
    if wants_lock(call) {
        actions.extend(["s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration"]);
    }
    for action in actions {
        let ruling = access.evaluate(action, "");
        if !ruling.is_allowed() {
            return Err(access.denial(&ruling));
        }
    }
    Ok(())
}

fn wants_lock(call: &Call<'_>) -> bool {
    call.head.header(&LOCK_ENABLED).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// The index of the region the bucket goes to.
fn region(call: &Call<'_>, configuration: &Node) -> Result<usize, S3Error> {
    let here = call.shared.regions[call.region].as_str();
    let asked = configuration.value("LocationConstraint").filter(|asked| !asked.is_empty());
    // The name of eu-west-1 in the first years.
    let asked = asked.map(|asked| if asked == "EU" { "eu-west-1" } else { asked });
    let Some(asked) = asked else {
        return match here {
            FIRST_REGION => Ok(call.region),
            _ => Err(incompatible("unspecified")),
        };
    };
    let known = call.shared.regions.iter().position(|region| region == asked);
    match known {
        Some(index) if index == call.region && here != FIRST_REGION => Ok(index),
        Some(index) if index != call.region && here == FIRST_REGION => Ok(index),
        Some(index) if index != call.region => Err(incompatible(asked)),
        // The first region has no constraint of its own.
        _ => Err(S3Error::of("InvalidLocationConstraint").extra("LocationConstraint", asked)),
    }
}

fn incompatible(asked: &str) -> S3Error {
    S3Error::of("IllegalLocationConstraintException").message(format!(
        "The {asked} location constraint is incompatible for the region specific endpoint this request was \
         sent to."
    ))
}

/// The configuration the bucket begins with.
fn state(
    call: &Call<'_>,
    configuration: &Node,
    owner: &std::sync::Arc<Owner>,
) -> Result<BucketState, S3Error> {
    let mut state = match call.shared.new_buckets {
        NewBuckets::Classic => BucketState::default(),
        NewBuckets::Since2023 => BucketState {
            ownership: Some(Ownership::BucketOwnerEnforced),
            block: Some(BlockPublic { acls: true, ignore_acls: true, policy: true, restrict: true }),
            ..BucketState::default()
        },
    };
    if let Some(given) = call.head.header(&OBJECT_OWNERSHIP) {
        let ownership = ownership_controls::named(given).ok_or_else(|| {
            S3Error::of("InvalidArgument")
                .message(format!("Invalid x-amz-object-ownership header: {given}"))
                .extra("ArgumentName", OBJECT_OWNERSHIP.as_str())
                .extra("ArgumentValue", given)
        })?;
        state.ownership = Some(ownership);
    }
    let parties = Parties { accounts: &call.shared.accounts, owner, bucket_owner: owner };
    if let Some(acl) = parties.of_headers(&call.head.headers)? {
        let enforced = state.ownership == Some(Ownership::BucketOwnerEnforced);
        if enforced && ownership_controls::grants_others(&acl, owner) {
            return Err(ownership_controls::with_acl());
        }
        if !enforced {
            acl_document::admit(&state, owner, &acl, false)?;
            state.acl = acl;
        }
    }
    if wants_lock(call) {
        (state.lock, state.versioning) = (Some(ObjectLock::default()), Versioning::Enabled);
    }
    if let Some(set) = configuration.child("Tags") {
        state.tags = tags::of_elements(set, tags::OF_BUCKET)?;
    }
    Ok(state)
}

/// The name is taken. In the first region an owner may make the bucket again, which sets its ACL anew (S3 API
/// reference, "Error responses", BucketAlreadyOwnedByYou).
fn again(call: &Call<'_>, region: usize, owner: &Owner, acl: Acl) -> Result<(), S3Error> {
    let name = call.head.bucket.as_str();
    let refused = |code| S3Error::of(code).extra("BucketName", name);
    let there = (0..call.shared.regions.len()).find_map(|at| Some((at, call.shared.store.find(at, name)?)));
    match there {
        Some((at, place)) if place.bucket.owner.account == owner.account => {
            if at != region || call.shared.regions[region] != FIRST_REGION {
                return Err(refused("BucketAlreadyOwnedByYou"));
            }
            place.configure(|state| state.acl = acl);
            Ok(())
        }
        _ => Err(refused("BucketAlreadyExists")),
    }
}
