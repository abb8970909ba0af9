//! What S3 takes for public (S3, "Blocking public access: the meaning of public").

use super::condition::Condition;
use super::document::{Policy, Statement};

/// Keys that confine a statement when compared with fixed values.
const CONFINING: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
];

/// Whether some statement lets everyone in.
pub(super) fn is_public(policy: &Policy) -> bool {
    policy.statements().iter().any(lets_everyone_in)
}

fn lets_everyone_in(statement: &Statement) -> bool {
    let everyone = statement.principals.as_ref().is_some_and(|principals| principals.mean_everyone());
    everyone && !statement.denies() && !statement.conditions().iter().any(confines)
}

fn confines(condition: &Condition) -> bool {
    match condition.key() {
        "aws:sourceip" => condition.is_of_narrow_networks(),
        // Any access point of a named account will do.
        "s3:dataaccesspointarn" => condition.is_fixed() || names_an_account(condition),
        key => CONFINING.contains(&key) && condition.is_fixed(),
    }
}

fn names_an_account(condition: &Condition) -> bool {
    let account = |start: Option<&str>| {
        let parts: Vec<&str> = start.unwrap_or_default().splitn(6, ':').collect();
        parts.len() == 6 && !parts[4].is_empty()
    };
    condition.fixed_prefixes().is_some_and(|mut starts| starts.all(account))
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    #[test]
    fn everyone_is_public_unless_confined() {
        let table = [
            (r#""Principal":"*""#, "{}", true),
            (r#""Principal":{"AWS":["000000000001","*"]}"#, "{}", true),
            (r#""Principal":{"AWS":"000000000001"}"#, "{}", false),
            (r#""Principal":{"Service":"logging.s3.amazonaws.com"}"#, "{}", false),
            (r#""Principal":"*""#, r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/32"}}"#, false),
            (r#""Principal":"*""#, r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","1.0.0.0/7"]}}"#, true),
            (r#""Principal":"*""#, r#"{"IpAddress":{"aws:SourceIp":"2001::/31"}}"#, true),
            (r#""Principal":"*""#, r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/32"}}"#, true),
            (r#""Principal":"*""#, r#"{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}"#, false),
            (r#""Principal":"*""#, r#"{"StringLike":{"aws:SourceVpc":"vpc-91237329"}}"#, false),
            (r#""Principal":"*""#, r#"{"StringLike":{"aws:SourceVpc":"vpc-*"}}"#, true),
            (r#""Principal":"*""#, r#"{"StringEquals":{"aws:SourceVpc":"${aws:username}"}}"#, true),
            (r#""Principal":"*""#, r#"{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}"#, true),
            (r#""Principal":"*""#, r#"{"StringEqualsIfExists":{"aws:SourceVpc":"vpc-1"}}"#, true),
            (r#""Principal":"*""#, r#"{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:r:1:t"}}"#, false),
            (r#""Principal":"*""#, r#"{"ArnLike":{"aws:SourceArn":"arn:aws:sns:r:1:*"}}"#, true),
            (r#""Principal":"*""#, r#"{"StringEquals":{"aws:UserAgent":"x"}}"#, true),
            (r#""Principal":"*""#, r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, false),
            (
                r#""Principal":"*""#,
                r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:r:000000000001:accesspoint/*"}}"#,
                false,
            ),
            (r#""Principal":"*""#, r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:r:*"}}"#, true),
        ];
        for (principal, condition, expected) in table {
            let text = format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{principal},
                    "Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*","Condition":{condition}}}]}}"#
            );
            let policy = Policy::read(&text, Kind::Bucket).unwrap();
            assert_eq!(policy.is_public(), expected, "{principal} {condition}");
        }
    }
}
