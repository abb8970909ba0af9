//! The changes, and what each does to a state.

use std::sync::Arc;

use super::WrongRegion;
use crate::auth::Credentials;
use crate::capacity::Station;
use crate::dials::Dials;
use crate::policy::{Pattern, Policy, Statement};
use crate::replication::ReplicationState;
use crate::settings::{Overlay, Settings};

/// One change, ready to be folded over a state.
pub(crate) enum Change {
    /// One more identity policy.
    IdentityPolicy {
        identity: usize,
        policy: Policy,
    },
    /// Instead of the identity's own policies.
    IdentityPolicies {
        identity: usize,
        policies: Vec<Policy>,
    },
    Boundary {
        identity: usize,
        boundary: Option<Policy>,
    },
    ServiceControl {
        account: String,
        levels: Vec<Vec<Policy>>,
    },
    ResourceControl {
        account: String,
        levels: Vec<Vec<Policy>>,
    },
    Withdraw {
        identity: usize,
        action: Pattern,
    },
    Credentials {
        identity: usize,
        credentials: Credentials,
    },
    BucketStatement {
        bucket: Arc<str>,
        statement: Statement,
    },
    BucketPolicy {
        bucket: Arc<str>,
        policy: Policy,
    },
    BlockPublicAccess {
        bucket: Arc<str>,
    },
    ClockSkew {
        seconds: i64,
    },
    /// Sessions issued up to then.
    SessionsEnd {
        issued: i64,
    },
    WrongRegion(WrongRegion),
    Capacity {
        region: usize,
        station: Option<Arc<Station>>,
    },
    /// Weights by region.
    Dials(Vec<f64>),
    Replication {
        bucket: Arc<str>,
        state: ReplicationState,
    },
}

impl Change {
    pub(crate) fn apply(&self, settings: &mut Settings) {
        match self {
            Self::IdentityPolicy { identity, policy } => {
                settings.identities[*identity].policies.push(policy.clone());
            }
            Self::IdentityPolicies { identity, policies } => {
                settings.identities[*identity].policies.clone_from(policies);
            }
            Self::Boundary { identity, boundary } => {
                settings.identities[*identity].boundary.clone_from(boundary);
            }
            Self::ServiceControl { account, levels } => {
                settings.controls.entry(account.clone()).or_default().service.clone_from(levels);
            }
            Self::ResourceControl { account, levels } => {
                settings.controls.entry(account.clone()).or_default().resource.clone_from(levels);
            }
            Self::Withdraw { identity, action } => {
                settings.identities[*identity].withdrawn.push(action.clone());
            }
            Self::Credentials { identity, credentials } => {
                settings.identities[*identity].credentials = credentials.clone();
            }
            Self::BucketStatement { bucket, statement } => {
                let overlay = settings.bucket_policies.entry(Arc::clone(bucket)).or_default();
                overlay.added.push(statement.clone());
            }
            Self::BucketPolicy { bucket, policy } => {
                let overlay = Overlay { replaced: Some(policy.clone()), ..Overlay::default() };
                settings.bucket_policies.insert(Arc::clone(bucket), overlay);
            }
            Self::BlockPublicAccess { bucket } => {
                settings.no_public_access.insert(Arc::clone(bucket));
            }
            Self::ClockSkew { seconds } => settings.skew_seconds += seconds,
            Self::SessionsEnd { issued } => {
                settings.sessions_end = Some(settings.sessions_end.map_or(*issued, |end| end.max(*issued)));
            }
            Self::WrongRegion(wrong) => settings.wrong_regions.push(wrong.clone()),
            Self::Capacity { region, station } => match station {
                Some(station) => drop(settings.stations.insert(*region, Arc::clone(station))),
                None => drop(settings.stations.remove(region)),
            },
            Self::Replication { bucket, state } => {
                settings.replications.insert(Arc::clone(bucket), *state);
            }
            Self::Dials(weights) => settings.dials = Some(Dials::new(weights.clone())),
        }
    }
}
