//! What probes saw: typed, without a judgement.

use serde::{Deserialize, Serialize};

/// Everything that was seen, and what was asked for.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Observations {
    /// Where each place was looked for.
    pub places: Vec<(Place, String)>,
    /// Region that direct requests were signed for.
    pub region: String,
    /// Whether requests to S3 carried a signature.
    pub signed: bool,
    /// How long a probe waited before it called the silence an answer, milliseconds.
    pub patience: f64,
    /// A first byte later than this is slow, milliseconds. S3 answers small objects in 100 to 200 ms (S3 user guide,
    /// "Performance guidelines"), so that the default of one second is no ordinary day.
    pub slow: f64,
    /// How late timers of the probes themselves were at worst, milliseconds: on a busy machine nothing is slow that is
    /// slower by no more than that.
    #[serde(default)]
    pub own_lag: f64,
    /// The gateway's limit for an answer of its upstream, milliseconds, where it was told.
    pub gateway_timeout: Option<f64>,
    /// Look-ups of names.
    pub names: Vec<Naming>,
    /// Connections that were opened and closed, each address several times.
    pub dials: Vec<Dial>,
    /// Requests.
    pub samples: Vec<Sample>,
}

/// What is looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// S3 itself, past the gateway.
    Endpoint,
    /// The gateway.
    Gateway,
    /// Another bucket at the same endpoint.
    CanaryBucket,
    /// An endpoint of another region.
    CanaryEndpoint,
}

impl Place {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Endpoint => "S3",
            Self::Gateway => "the gateway",
            Self::CanaryBucket => "the canary bucket",
            Self::CanaryEndpoint => "the second region",
        }
    }
}

/// One look-up.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Naming {
    /// Whose name.
    pub place: Place,
    /// The name.
    pub name: String,
    /// What came back.
    pub reply: NameReply,
}

/// What a question for addresses was answered with.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameReply {
    /// At least one address.
    Addresses(Vec<String>),
    /// NOERROR and no address.
    Empty,
    /// NXDOMAIN.
    NoSuchName,
    /// SERVFAIL, or another refusal to tell.
    ServerFailure,
    /// Nothing in time.
    Silence,
    /// The system's resolver failed, and nobody could be asked why.
    Failed(String),
}

/// One connection, opened and closed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dial {
    /// Where to.
    pub place: Place,
    /// Address and port.
    pub address: String,
    /// `None`: it stood.
    pub failure: Option<DialFailure>,
    /// Until it stood or failed, milliseconds.
    pub took: f64,
}

/// Why a connection did not stand.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DialFailure {
    /// RST in answer to the SYN.
    Refused,
    /// No answer to the SYN in time, or no route.
    Unreachable(String),
}

/// What a request was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// GET of the object.
    Get,
    /// HEAD of the object.
    Head,
    /// The first keys of the bucket.
    List,
    /// GETs of the object side by side.
    Burst,
}

/// One request.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sample {
    /// Where to.
    pub place: Place,
    /// What it was.
    pub probe: Probe,
    /// Whether the connection had served a request before.
    pub reused: bool,
    /// Address and port; empty when there was none.
    pub address: String,
    /// How it ended.
    pub outcome: Outcome,
    /// From the first move to the last byte, milliseconds.
    pub took: f64,
}

/// How a request ended.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The name gave no address.
    NoAddress,
    /// No connection.
    NotConnected(DialFailure),
    /// No TLS session.
    NotSecured(TlsFailure),
    /// The connection ended before a byte of an answer.
    Dropped {
        /// By RST; else by FIN.
        reset: bool,
    },
    /// No whole head in time.
    Silent {
        /// Bytes of it that came.
        bytes: usize,
    },
    /// The connection ended within the head.
    CutHead {
        /// Bytes of it that came.
        bytes: usize,
    },
    /// Bytes that are no HTTP response, or whose length is ambiguous.
    NotHttp(String),
    /// A head above what gateways accept.
    HeadTooLarge {
        /// Bytes so far.
        bytes: usize,
    },
    /// A response.
    Answered(Box<Answer>),
}

/// Why a TLS session did not stand.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsFailure {
    /// The certificate is of another name.
    Name(String),
    /// The certificate has run out, or is not valid yet.
    Dates(String),
    /// No trusted root vouches for what was presented, in that order.
    Chain(String),
    /// Alerts, plain text, resets, silence.
    Handshake(String),
}

/// A response with a readable head.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// How the body ended.
    pub body: BodyEnd,
    /// Until the first byte of the head, milliseconds.
    pub first_byte: f64,
    /// From the head to the last byte, milliseconds.
    pub transfer: f64,
    /// Bytes of the body.
    pub bytes: u64,
    /// Bytes of the head.
    pub head_bytes: usize,
    /// `Code` of an S3 error document.
    pub code: Option<String>,
    /// `Message` of an S3 error document.
    pub message: Option<String>,
    /// `x-amz-bucket-region`, or `Region` of the error document.
    pub region: Option<String>,
    /// Whether `x-amz-request-id` says that S3 made the answer.
    pub from_s3: bool,
    /// `Server`.
    pub server: Option<String>,
    /// `Date` minus our clock, seconds.
    pub clock: Option<i64>,
    /// `ETag`.
    pub etag: Option<String>,
    /// A digest of the body, where it is whole.
    pub digest: Option<u64>,
    /// Whether `Content-Range` or a length limit of ours makes it a part.
    pub part: bool,
}

/// How a body ended.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyEnd {
    /// As its framing says.
    #[default]
    Whole,
    /// Before that, by FIN or RST.
    Cut {
        /// By RST.
        reset: bool,
        /// Bytes the head promised, where it did.
        of: Option<u64>,
    },
    /// It stopped, and the connection stayed open.
    Stalled,
    /// Its chunks cannot be read.
    Broken(String),
}

// === impl Outcome ===

impl Outcome {
    /// In a few words.
    pub fn words(&self) -> String {
        let by = |reset: bool| if reset { "RST" } else { "FIN" };
        match self {
            Self::NoAddress => "the name gave no address".to_owned(),
            Self::NotConnected(DialFailure::Refused) => "connection refused".to_owned(),
            Self::NotConnected(DialFailure::Unreachable(why)) => format!("no connection: {why}"),
            Self::NotSecured(
                TlsFailure::Name(why)
                | TlsFailure::Dates(why)
                | TlsFailure::Chain(why)
                | TlsFailure::Handshake(why),
            ) => format!("no TLS session: {why}"),
            Self::Dropped { reset } => format!("the connection ended by {} before an answer", by(*reset)),
            Self::Silent { bytes: 0 } => "the connection stands, and no byte of an answer came".to_owned(),
            Self::Silent { bytes } => format!("{bytes} bytes of a head came, and no more"),
            Self::CutHead { bytes } => format!("the connection ended after {bytes} bytes of the head"),
            Self::NotHttp(why) => why.clone(),
            Self::HeadTooLarge { bytes } => format!("a head of more than {bytes} bytes"),
            Self::Answered(answer) => format!("status {}", answer.status),
        }
    }
}

// === impl Sample ===

impl Sample {
    /// The response, where there is one.
    pub fn answer(&self) -> Option<&Answer> {
        if let Outcome::Answered(answer) = &self.outcome { Some(answer) } else { None }
    }

    /// Whether a client that asked this got what it asked for.
    pub fn is_good(&self) -> bool {
        self.answer().is_some_and(|a| a.status < 300 && a.body == BodyEnd::Whole)
    }

    /// Whether it asked for the object, which is what clients do.
    pub fn is_read(&self) -> bool {
        self.probe != Probe::List
    }

    /// The S3 error code, where the answer carries one.
    pub fn code(&self) -> Option<&str> {
        self.answer().and_then(|a| a.code.as_deref())
    }
}

// === impl Observations ===

impl Observations {
    /// What GETs of the object met at a place, bursts left out. An answer to HEAD has no body to name its error.
    pub fn reads(&self, place: Place) -> impl Iterator<Item = &Sample> + Clone {
        self.samples.iter().filter(move |s| s.place == place && s.probe == Probe::Get)
    }

    /// Whether a place was asked at all.
    pub fn has(&self, place: Place) -> bool {
        self.places.iter().any(|(p, _)| *p == place)
    }

    /// Whether every read at a place was good; false where none was made.
    pub fn is_clean(&self, place: Place) -> bool {
        let mut reads = self.reads(place).peekable();
        reads.peek().is_some() && reads.all(Sample::is_good)
    }

    /// What is slow here, milliseconds.
    pub fn is_slow(&self, took: f64) -> bool {
        took > self.slow + self.own_lag
    }

    /// Where S3 can be seen best: directly, or else through the gateway.
    pub fn view(&self) -> Place {
        if self.has(Place::Endpoint) { Place::Endpoint } else { Place::Gateway }
    }
}
