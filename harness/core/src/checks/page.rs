//! What an author's page has beside its prose: who says so, and what to set.
//!
//! `gatecrash explain CHECK` and the reference page are made of it. That all three products are there is for the
//! compiler to see, the rest for the tests of the table.

/// Who says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// A section of an RFC, or all of it where `section` is empty.
    Rfc {
        /// Its number.
        number: u16,
        /// Such as `9.2.2`.
        section: &'static str,
        /// The section's title.
        title: &'static str,
    },
    /// A page of a manual or a book, or a paper.
    Page {
        /// Who wrote it, and its title.
        title: &'static str,
        /// Where it is.
        url: &'static str,
    },
}

/// Typical fixes: by the names of directives, or plainly that a product has no setting for it.
#[derive(Clone, Copy, Debug)]
pub struct Fixes {
    /// In nginx (open source).
    pub nginx: &'static str,
    /// In HAProxy.
    pub haproxy: &'static str,
    /// In Envoy.
    pub envoy: &'static str,
    /// In other products and in gateways of one's own; may be empty.
    pub others: &'static str,
}

impl Fixes {
    /// So that errors of the upstream reach the client as they are.
    pub(super) const PASS_ERRORS_ON: Self = Self {
        nginx: "`proxy_intercept_errors off`",
        haproxy: "no `http-response return` and no `http-response set-status` for statuses of the \
                  upstream (`errorfile` replaces HAProxy's own errors alone)",
        envoy: "no `custom_response` filter on the route (`local_reply_config` replaces Envoy's own \
                errors alone)",
        others: "",
    };

    /// Product and fix, those that are there.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        [("nginx", self.nginx), ("HAProxy", self.haproxy), ("Envoy", self.envoy), ("others", self.others)]
            .into_iter()
            .filter(|(_, fix)| !fix.is_empty())
    }
}

impl Source {
    /// A section of an RFC.
    pub(super) const fn rfc(number: u16, section: &'static str, title: &'static str) -> Self {
        Self::Rfc { number, section, title }
    }

    const fn page(title: &'static str, url: &'static str) -> Self {
        Self::Page { title, url }
    }

    /// Where to read it.
    pub fn url(self) -> String {
        match self {
            Self::Rfc { number, section: "", .. } => format!("https://www.rfc-editor.org/rfc/rfc{number}"),
            Self::Rfc { number, section, .. } => {
                format!("https://www.rfc-editor.org/rfc/rfc{number}#section-{section}")
            }
            Self::Page { url, .. } => url.into(),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Rfc { number, section: "", title } => write!(f, "RFC {number}, {title}"),
            Self::Rfc { number, section, title } => write!(f, "RFC {number} section {section}, {title}"),
            Self::Page { title, .. } => f.write_str(title),
        }
    }
}

/// Pages that checks share.
macro_rules! pages {
    ($($name:ident: $title:literal at $($url:literal)+;)+) => {
        impl Source {
            $(pub(super) const $name: Self = Self::page($title, concat!($($url),+));)+
        }
    };
}

pages! {
    SRE_RISK: "Google SRE Book, ch. 3, Embracing Risk"
        at "https://sre.google/sre-book/embracing-risk/";
    SRE_OBJECTIVES: "Google SRE Book, ch. 4, Service Level Objectives"
        at "https://sre.google/sre-book/service-level-objectives/";
    SRE_MONITORING: "Google SRE Book, ch. 6, Monitoring Distributed Systems"
        at "https://sre.google/sre-book/monitoring-distributed-systems/";
    SRE_LOAD_BALANCING: "Google SRE Book, ch. 20, Load Balancing in the Datacenter"
        at "https://sre.google/sre-book/load-balancing-datacenter/";
    SRE_OVERLOAD: "Google SRE Book, ch. 21, Handling Overload"
        at "https://sre.google/sre-book/handling-overload/";
    SRE_CASCADING: "Google SRE Book, ch. 22, Addressing Cascading Failures"
        at "https://sre.google/sre-book/addressing-cascading-failures/";
    AWS_RETRIES: "AWS Builders' Library, Timeouts, retries, and backoff with jitter"
        at "https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/";
    AWS_SHEDDING: "AWS Builders' Library, Using load shedding to avoid overload"
        at "https://aws.amazon.com/builders-library/using-load-shedding-to-avoid-overload/";
    AWS_QUEUES: "AWS Builders' Library, Avoiding insurmountable queue backlogs"
        at "https://aws.amazon.com/builders-library/avoiding-insurmountable-queue-backlogs/";
    AWS_HEALTH_CHECKS: "AWS Builders' Library, Implementing health checks"
        at "https://aws.amazon.com/builders-library/implementing-health-checks/";
    AWS_STATIC_STABILITY: "AWS Builders' Library, Static stability using Availability Zones"
        at "https://aws.amazon.com/builders-library/static-stability-using-availability-zones/";
    AWS_JITTER: "AWS Architecture Blog, Exponential Backoff And Jitter"
        at "https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/";
    AWS_SDK_RETRIES: "AWS SDKs and Tools Reference Guide, Retry behavior"
        at "https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html";
    S3_ERRORS: "Amazon S3 API Reference, Error responses"
        at "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html";
    S3_SIGNATURE: "Amazon S3 API Reference, Signature Calculations for the Authorization Header"
        at "https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html";
    S3_COMPLETE_UPLOAD: "Amazon S3 API Reference, CompleteMultipartUpload"
        at "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html";
    CLOUDFRONT_ORIGINS: "Amazon CloudFront Developer Guide, Request and response behavior for custom origins"
        at "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"
            "RequestAndResponseBehaviorCustomOrigin.html";
    CLOUDFRONT_FAILOVER: "Amazon CloudFront Developer Guide, High availability with origin failover"
        at "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"
            "high_availability_origin_failover.html";
    CLOUDFRONT_ERRORS: "Amazon CloudFront Developer Guide, 4xx and 5xx status codes from your origin"
        at "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/" "HTTPStatusCodes.html";
    CLOUDFRONT_CUSTOM_ERRORS: "Amazon CloudFront Developer Guide, Generate custom error responses"
        at "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"
            "GeneratingCustomErrorResponses.html";
    NGINX_UPSTREAM: "nginx manual, ngx_http_upstream_module: server"
        at "https://nginx.org/en/docs/http/ngx_http_upstream_module.html#server";
    NGINX_CACHE_LOCK: "nginx manual, ngx_http_proxy_module: proxy_cache_lock"
        at "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_lock";
    ENVOY_ROUTER: "Envoy manual, Router"
        at "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter";
    ENVOY_ROUTES: "Envoy manual, HTTP route components: RetryPolicy"
        at "https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto";
    ENVOY_TIMEOUTS: "Envoy manual, How do I configure timeouts?"
        at "https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts";
    ENVOY_EDGE: "Envoy manual, Configuring Envoy as an edge proxy"
        at "https://www.envoyproxy.io/docs/envoy/latest/configuration/best_practices/edge";
    ENVOY_LOCAL_REPLIES: "Envoy manual, Local reply modification"
        at "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/local_reply";
    ENVOY_OUTLIERS: "Envoy manual, Outlier detection"
        at "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier";
    ENVOY_CIRCUIT_BREAKING: "Envoy manual, Circuit breaking"
        at "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/circuit_breaking";
    ENVOY_PRIORITIES: "Envoy manual, Priority levels"
        at "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/"
            "load_balancing/priority";
    ENVOY_PANIC: "Envoy manual, Panic threshold"
        at "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/"
            "load_balancing/panic_threshold";
    ENVOY_SLOW_START: "Envoy manual, Slow start mode"
        at "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/"
            "load_balancing/slow_start";
    VARNISH_GRACE: "Varnish users' guide, Grace mode and keep"
        at "https://varnish-cache.org/docs/trunk/users-guide/vcl-grace.html";
    METASTABLE: "Bronson et al., Metastable Failures in Distributed Systems (HotOS 2021)"
        at "https://sigops.org/s/conferences/hotos/2021/papers/hotos21-s11-bronson.pdf";
    METASTABLE_WILD: "Huang et al., Metastable Failures in the Wild (OSDI 2022)"
        at "https://www.usenix.org/conference/osdi22/presentation/huang-lexiang";
    TAIL_AT_SCALE: "Dean and Barroso, The Tail at Scale"
        at "https://research.google/pubs/the-tail-at-scale/";
    WRK2: "wrk2, on coordinated omission"
        at "https://github.com/giltene/wrk2";
    AZURE_BREAKER: "Azure Architecture Center, Circuit Breaker pattern"
        at "https://learn.microsoft.com/en-us/azure/architecture/patterns/circuit-breaker";
    FOWLER_BREAKER: "M. Fowler on the circuit breaker of M. Nygard's book Release It!"
        at "https://martinfowler.com/bliki/CircuitBreaker.html";
    HTTP1_DESYNC: "PortSwigger, HTTP/1.1 must die: the desync endgame"
        at "https://portswigger.net/research/http1-must-die";
    CWE_ERROR_MESSAGES: "CWE-209, Generation of Error Message Containing Sensitive Information"
        at "https://cwe.mitre.org/data/definitions/209.html";
    CWE_UNCAUGHT: "CWE-248, Uncaught Exception"
        at "https://cwe.mitre.org/data/definitions/248.html";
    CWE_RESOURCES: "CWE-770, Allocation of Resources Without Limits or Throttling"
        at "https://cwe.mitre.org/data/definitions/770.html";
}
