//! An exchange as one JSON object of the journal.

use serde_json::{Map, Value, json};

use super::Finished;
use crate::policy::Matched;
use crate::time::document_date;

/// One line of the journal, without its line end. Fields that do not apply are left out.
pub(crate) fn json(number: u64, exchange: &Finished) -> Value {
    let mut line = Map::new();
    let mut put = |name: &str, value: Value| {
        let absent = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(list) => list.is_empty(),
            Value::Bool(set) => !set,
            _ => false,
        };
        if !absent {
            line.insert(name.to_owned(), value);
        }
    };
    put("n", number.into());
    put("time", document_date(exchange.wall).into());
    put("at_ns", exchange.record.received.into());
    put("request_id", exchange.request_id.as_str().into());
    put("region", (*exchange.region).into());
    put("op", exchange.op.name().into());
    put("method", exchange.method.as_str().into());
    put("target", exchange.target.as_str().into());
    put("bucket", exchange.bucket.as_str().into());
    put("key", exchange.key.as_str().into());
    put("version_id", exchange.version_id.clone().into());
    put("principal", principal(exchange));
    put("decision", exchange.decision.name().into());
    if let Some(why) = &exchange.explained {
        put("action", why.action.as_str().into());
        put("resource", why.resource.as_str().into());
        put("layer", why.layer.source_type().into());
        put("matched_statements", why.matched.iter().map(Matched::json).collect());
        put("missing_context", why.missing_context.clone().into());
    }
    put("status", exchange.status.into());
    put("code", exchange.code.as_str().into());
    put("bytes_received", exchange.received.into());
    put("bytes_sent", exchange.sent.into());
    put("object_size", exchange.object_size.into());
    put("turn_around_us", exchange.turn_around.map(|t| t.as_micros() as u64).into());
    put("total_us", (exchange.total.as_micros() as u64).into());
    put("remote_ip", exchange.remote.to_string().into());
    put("user_agent", exchange.user_agent.clone().into());
    put("sdk_invocation_id", exchange.invocation.clone().into());
    put("sdk_attempt", exchange.attempt.into());
    put("fault", exchange.fault.as_deref().into());
    put("faulted", exchange.faulted().into());
    put("applied", exchange.applied().into());
    put("abandoned", exchange.abandoned().into());
    let batch = exchange.batch.iter().map(|item| {
        json!({ "key": item.key, "version_id": item.version_id, "status": item.status, "code": item.code })
    });
    put("batch", batch.collect());
    Value::Object(line)
}

fn principal(exchange: &Finished) -> Value {
    match &exchange.principal {
        None => Value::Null,
        Some(who) => json!({
            "name": who.name, "arn": who.arn, "account": who.account, "access_key": who.access_key,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::requests::tests::exchange;

    #[test]
    fn a_line_says_what_applies() {
        let line = json(7, &exchange("b", 404));
        assert_eq!(line["n"], 7);
        assert_eq!(line["op"], "GetObject");
        assert_eq!(line["time"], "2013-05-24T00:00:00.000Z");
        assert_eq!(line["decision"], "notEvaluated");
        assert_eq!(line.get("principal"), None);
        assert_eq!(line.get("code"), None);
    }
}
