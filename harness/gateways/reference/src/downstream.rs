//! The client side: taking a request in, giving a response or an error out.

mod as_it_is;
mod errors;
mod patient;
mod relay;
mod request;
mod swap;
mod template;

pub(crate) use self::as_it_is::{AsItIs, Bypassed, write_as_it_is};
pub(crate) use self::errors::{as_declared, error_reply, mark, masked_reply, name_request};
pub(crate) use self::patient::Patient;
pub(crate) use self::relay::{Mend, Refetch, Reply, whole};
pub(crate) use self::request::{ClientBodyError, ClientRequest, RequestBody, request_id};
pub(crate) use self::swap::SwapSpot;
pub(crate) use self::template::filled;
