//! The table of causes, in the order of the layers a request passes.

use super::Cause;

macro_rules! causes {
    ($($module:ident),+ $(,)?) => {
        $(mod $module;)+

        /// Every cause, lowest layer first.
        pub const CAUSES: &[Cause] = &[$($module::CAUSE),+];
    };
}

causes! {
    dns_no_such_name,
    dns_server_failure,
    dns_no_answer,
    dns_no_addresses,
    dead_address,
    connection_refused,
    connection_timeout,
    connection_reset,
    tls_name,
    tls_dates,
    tls_chain,
    tls_handshake,
    stale_connections,
    not_http,
    head_too_large,
    truncated_answer,
    corrupt_body,
    clock_skew,
    key_unknown,
    signature_mismatch,
    session_expired,
    permission_identity,
    permission_bucket,
    permission_organisation,
    wrong_region,
    no_such_bucket,
    no_such_key,
    slow_down,
    s3_errors,
    foreign_error,
    no_answer,
    slow_answer,
    slow_body,
    gateway_down,
    gateway_configuration,
    gateway_limits,
    gateway_path,
}
