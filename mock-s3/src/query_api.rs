//! The services beside S3 on the same listener: `POST /` with `Action=...` in a form, answered in XML (AWS "query
//! protocol"). One line each in [`ACTIONS`].

use std::collections::BTreeMap;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};

use crate::auth::{Caller, sessions::Sessions};
use crate::encoding::decode_form;
use crate::errors::S3Error;
use crate::iam;
use crate::ops::Answer;
use crate::request::Head;
use crate::settings::Settings;
use crate::sts;
use crate::xml::Xml;

/// A service of the query protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Service {
    Sts,
    Iam,
}

/// One action of one service.
pub(crate) struct Action {
    name: &'static str,
    service: Service,
    run: Run,
}

/// Writes the content of `<NameResult>`.
type Run = fn(&Query<'_>, &mut Xml) -> Result<(), QueryError>;

#[rustfmt::skip]
const ACTIONS: &[Action] = &[
    Action { name: "AssumeRole",              service: Service::Sts, run: sts::assume_role::run },
    Action { name: "GetCallerIdentity",       service: Service::Sts, run: sts::get_caller_identity::run },
    Action { name: "GetSessionToken",         service: Service::Sts, run: sts::get_session_token::run },
    Action { name: "SimulateCustomPolicy",    service: Service::Iam, run: iam::simulate_custom_policy::run },
    Action { name: "SimulatePrincipalPolicy", service: Service::Iam, run: iam::simulate_principal_policy::run },
];

/// One authenticated request.
pub(crate) struct Query<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) sessions: &'a Sessions,
    pub(crate) caller: Arc<Caller>,
    pub(crate) form: &'a Form,
    /// The mock's wall clock, seconds since the Unix epoch.
    pub(crate) wall: i64,
}

/// The parameters of a request, decoded.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

/// An error of these services.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct QueryError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

/// Whether a request is for one of these services. S3 itself has no `POST /`.
pub(crate) fn concerns(head: &Head) -> bool {
    let form =
        head.header(&CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let addressed = head.bucket.is_empty() && head.path() == "/";
    addressed && ((head.method == Method::POST && form) || head.has_query("Action"))
}

/// The action a form asks for.
pub(crate) fn action(form: &Form) -> Result<&'static Action, QueryError> {
    let Some(name) = form.value("Action") else {
        return Err(QueryError::new(400, "MissingAction", "Missing Action"));
    };
    let version = form.value("Version").unwrap_or("");
    let known = ACTIONS.iter().find(|action| action.name == name && action.service.version() == version);
    known.ok_or_else(|| {
        let message = format!("Could not find operation {name} for version {version}");
        QueryError::new(400, "InvalidAction", message)
    })
}

impl Action {
    pub(crate) fn service(&self) -> Service {
        self.service
    }

    /// The answer's document.
    pub(crate) fn answer(&self, query: &Query<'_>, request_id: &str) -> Result<Answer, QueryError> {
        let (response, result) = (format!("{}Response", self.name), format!("{}Result", self.name));
        let mut xml = Xml::new();
        xml.open(&format!("{response} xmlns=\"{}\"", self.service.namespace()));
        xml.open(&result);
        (self.run)(query, &mut xml)?;
        xml.close(&result);
        xml.open("ResponseMetadata");
        xml.text("RequestId", request_id);
        xml.close("ResponseMetadata");
        xml.close(&response);
        Ok(Answer::xml(xml.finish()).header(CONTENT_TYPE, "text/xml"))
    }
}

impl Service {
    /// As in credential scopes.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Iam => "iam",
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Sts => "2011-06-15",
            Self::Iam => "2010-05-08",
        }
    }

    fn namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        }
    }
}

impl Form {
    /// The parameters of the query and of the body.
    pub(crate) fn parse(query: &str, body: &[u8]) -> Self {
        let body = String::from_utf8_lossy(body);
        let pairs = query.split('&').chain(body.trim_end().split('&')).filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(pairs.map(|(name, value)| (decode_form(name), decode_form(value))).collect())
    }

    /// The first value of a parameter, unless it is empty.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The parameters of a list, `NAME.member.N` and what follows, by number.
    pub(crate) fn members(&self, name: &str) -> BTreeMap<u32, Self> {
        let mut members: BTreeMap<u32, Self> = BTreeMap::new();
        for (parameter, value) in &self.0 {
            let rest = parameter.strip_prefix(name).and_then(|rest| rest.strip_prefix(".member."));
            let Some(rest) = rest else { continue };
            let (number, inner) = rest.split_once('.').unwrap_or((rest, ""));
            if let Ok(number) = number.parse() {
                members.entry(number).or_default().0.push((inner.to_owned(), value.clone()));
            }
        }
        members
    }

    /// The texts of a list `NAME.member.N`, in order of their numbers.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let own = |member: Self| member.0.into_iter().find(|(inner, _)| inner.is_empty());
        self.members(name).into_values().filter_map(own).map(|(_, value)| value).collect()
    }

    /// All parameters, in order.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}

impl QueryError {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }

    /// A parameter out of its bounds.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    /// A parameter that has to be there.
    pub(crate) fn missing(parameter: &str) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value null at '{parameter}' failed to satisfy constraint: Member must \
             not be null"
        ))
    }

    /// A failed authentication, in these services' words (IAM User Guide, "Common errors").
    pub(crate) fn of_authentication(error: &S3Error) -> Self {
        match &*error.code {
            "InvalidAccessKeyId" | "InvalidToken" => Self::new(
                403,
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            ),
            "ExpiredToken" => {
                Self::new(403, "ExpiredToken", "The security token included in the request is expired")
            }
            "RequestTimeTooSkewed" => {
                let server = error.extras.iter().find(|(name, _)| *name == "ServerTime");
                let server = server.map_or("", |(_, text)| text.as_str());
                let message = format!("Signature expired: the server's time is {server}");
                Self::new(403, "SignatureDoesNotMatch", message)
            }
            "AuthorizationHeaderMalformed" | "InvalidArgument" | "InvalidRequest" => {
                Self::new(400, "IncompleteSignature", error.message.clone())
            }
            code => Self::new(error.status.as_u16(), code, error.message.clone()),
        }
    }

    /// The error's document.
    pub(crate) fn answer(&self, service: Service, request_id: &str) -> Answer {
        let mut xml = Xml::new();
        xml.open(&format!("ErrorResponse xmlns=\"{}\"", service.namespace()));
        xml.open("Error");
        xml.text("Type", if self.status < 500 { "Sender" } else { "Receiver" });
        xml.text("Code", &self.code);
        xml.text("Message", &self.message);
        xml.close("Error");
        xml.text("RequestId", request_id);
        xml.close("ErrorResponse");
        let mut answer = Answer::xml(xml.finish()).header(CONTENT_TYPE, "text/xml");
        answer.status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    fn head(method: Method, target: &str, kind: &str) -> Head {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        Head::new(method, target.parse().unwrap(), headers)
    }

    #[test]
    fn forms_to_the_root_are_for_these_services() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert!(concerns(&head(Method::POST, "/", form)));
        assert!(concerns(&head(Method::GET, "/?Action=GetCallerIdentity&Version=2011-06-15", "")));
        assert!(!concerns(&head(Method::GET, "/", "")));
        assert!(!concerns(&head(Method::POST, "/bucket", form)));
        assert!(!concerns(&head(Method::POST, "/", "multipart/form-data; boundary=x")));
    }

    #[test]
    fn actions_are_found_by_name_and_version() {
        let of = |text: &str| action(&Form::parse("", text.as_bytes())).map(|action| action.name);
        assert_eq!(of("Action=AssumeRole&Version=2011-06-15"), Ok("AssumeRole"));
        assert_eq!(of("Action=AssumeRole&Version=2010-05-08").unwrap_err().code, "InvalidAction");
        assert_eq!(of("Version=2011-06-15").unwrap_err().code, "MissingAction");
        let form = Form::parse("a=1&b", b"c=x+y%26\n");
        assert_eq!((form.value("a"), form.value("b"), form.value("c")), (Some("1"), None, Some("x y&")));
        let form = Form::parse(
            "",
            b"L.member.10=j&L.member.2=b&L.member.2.M.member.1=x&L.member.n=&Long.member.1=y",
        );
        assert_eq!(form.list("L"), ["b", "j"]);
        assert_eq!(form.members("L")[&2].list("M"), ["x"]);
        assert!(ACTIONS.is_sorted_by_key(|action| action.name));
    }
}
