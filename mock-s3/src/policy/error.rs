//! Why a policy document is not accepted.

use super::span::Position;

/// A document that cannot be read, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct PolicyError {
    /// What is wrong.
    pub problem: Problem,
    /// Where in the document's text.
    pub at: Position,
}

/// What can be wrong with a document.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// More bytes than a document of its kind may have.
    #[error("the document is longer than {0} bytes")]
    TooLong(usize),
    /// Not a JSON object.
    #[error("a policy is a JSON object")]
    NotAnObject,
    /// Not JSON.
    #[error("invalid JSON: {0}")]
    Json(&'static str),
    /// An element that is absent.
    #[error("a statement has no {0}")]
    Missing(&'static str),
    /// An element with a value of the wrong shape.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// An element no policy of this kind has.
    #[error("unknown element {0:?}")]
    Unknown(String),
    /// A name that is there twice.
    #[error("{0:?} is there twice")]
    Twice(String),
    /// A Version that AWS does not know.
    #[error("the version is 2012-10-17 or 2008-10-17, not {0:?}")]
    Version(String),
    /// An Effect that is neither Allow nor Deny.
    #[error("an effect is Allow or Deny, not {0:?}")]
    Effect(String),
    /// A principal that is none, or holds a wildcard.
    #[error("{0:?} is no principal")]
    Principal(String),
    /// `Allow` together with `NotPrincipal`.
    #[error("NotPrincipal only goes with Deny")]
    AllowNotPrincipal,
    /// An action that is none.
    #[error("{0:?} is no action")]
    Action(String),
    /// A resource that is none, or is not of the bucket.
    #[error("{0:?} is no resource of this policy")]
    Resource(String),
    /// Actions that cannot be done to any of the resources.
    #[error("an action of statement {0} does not apply to any of its resources")]
    Inapplicable(String),
    /// A condition operator that AWS does not know.
    #[error("{0:?} is no condition operator")]
    Operator(String),
    /// A condition key without a service prefix.
    #[error("{0:?} is no condition key")]
    Key(String),
    /// A condition value its operator cannot compare with.
    #[error("{operator} cannot compare with {value:?}")]
    Value {
        /// As written.
        operator: String,
        /// As written.
        value: String,
    },
}

impl PolicyError {
    pub(super) fn new(problem: Problem, at: Position) -> Self {
        Self { problem, at }
    }

    /// The message S3 puts into its MalformedPolicy.
    pub fn s3_message(&self) -> String {
        match &self.problem {
            Problem::NotAnObject => "Policies must be valid JSON and the first byte must be '{'".to_owned(),
            Problem::TooLong(_) => "Policy exceeds the maximum allowed document size.".to_owned(),
            Problem::Json(_) => "This policy contains invalid Json".to_owned(),
            Problem::Missing(element) => format!("Missing required field {element}"),
            Problem::Malformed("Statement") => "Statement is empty!".to_owned(),
            Problem::Malformed(element) => format!("Policy has invalid {}", element.to_ascii_lowercase()),
            Problem::Unknown(element) => format!("Unknown field {element}"),
            Problem::Twice(name) => format!("Duplicate field {name}"),
            Problem::Version(_) => "The policy must contain a valid version string".to_owned(),
            Problem::Effect(effect) => format!("Invalid effect: {effect}"),
            Problem::Principal(_) => "Invalid principal in policy".to_owned(),
            Problem::AllowNotPrincipal => "Allow with NotPrincipal is not allowed.".to_owned(),
            Problem::Action(_) => "Policy has invalid action".to_owned(),
            Problem::Resource(_) => "Policy has invalid resource".to_owned(),
            Problem::Inapplicable(_) => "Action does not apply to any resource(s) in statement".to_owned(),
            Problem::Operator(operator) => format!("Invalid Condition type : {operator}"),
            Problem::Key(_) => "Policy has an invalid condition key".to_owned(),
            Problem::Value { value, .. } => format!("Invalid value in Condition: {value}"),
        }
    }
}
