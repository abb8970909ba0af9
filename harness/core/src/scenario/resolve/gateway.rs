//! The gateway, and what the scenario asks of it that it may not be able to do.

use std::collections::BTreeMap;

use super::Cx;
use crate::diagnostics::{Diagnostic, Place};
use crate::faults::Host;
use crate::plan::{GatewayPlan, Side};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{
    Command, Either, Embedded, File, Gateway, Http, Named, Protocol, Recipe, Sign, Url, Word,
};
use crate::scenario::resolved::Origin;
use crate::scenario::{KnownGateway, not_yet};
use crate::units::{Share, Span};

/// The preset of a gateway that names none.
const DEFAULT_PRESET: &str = "strict";
/// Signals that stop a command.
const SIGNALS: [&str; 4] = ["TERM", "INT", "QUIT", "KILL"];

/// Keys of `misconfigure`, among what gateways declare that they can.
const MISTAKES: [&str; 5] = ["bucket", "region", "host", "endpoint", "mapping"];

impl Cx<'_> {
    /// The gateway under test: the command line's, the file's, or the embedded one.
    pub(super) fn gateway(&mut self, file: &File) -> GatewayPlan {
        let written = file.gateway.as_ref().map(|g| &g.value);
        let mut plan = match (self.options.gateway.as_deref(), written) {
            (Some("embedded"), Some(Gateway::Embedded(embedded)))
            | (None, Some(Gateway::Embedded(embedded))) => self.embedded(embedded),
            (None, None) | (Some("embedded"), _) => self.embedded(&Embedded::default()),
            (Some(asked), Some(Gateway::Recipe(recipe))) if recipe.name.value == asked_of(asked).0 => {
                let mut plan = self.recipe(recipe);
                if let (GatewayPlan::Recipe { version, .. }, Some(asked)) = (&mut plan, asked_of(asked).1) {
                    *version = Some(self.given("gateway.version", Origin::Option("--gateway"), asked));
                }
                plan
            }
            (Some(asked), _) => self.other_recipe(asked),
            (None, Some(Gateway::Recipe(recipe))) => self.recipe(recipe),
            (None, Some(Gateway::Command(command))) => self.command(command),
            (None, Some(Gateway::Url(url))) => self.url(url),
        };
        self.extra_defects(&mut plan);
        plan
    }

    fn embedded(&mut self, embedded: &Embedded) -> GatewayPlan {
        let known = &self.options.known;
        let preset = self.or("gateway.preset", embedded.preset.clone(), DEFAULT_PRESET.to_owned());
        if let Some(given) = &embedded.preset {
            if not_yet::is_preset(&given.value) && !known.presets.contains(&given.value) {
                self.error(
                    format!("preset `{preset}` is not supported yet"),
                    given.place,
                    "not in this release",
                );
            } else {
                self.refer("preset", &given.value, given.place, known.presets.iter().map(String::as_str));
            }
        }
        for (at, defect) in embedded.defects.iter().enumerate() {
            self.defect(&defect.value, defect.place);
            if embedded.defects[..at].iter().any(|d| d.value == defect.value) {
                self.error(format!("defect `{}` is given twice", defect.value), defect.place, "again here");
            }
        }
        if let Some(rate) = embedded.defect_rate.filter(|r| r.value.0 <= 0.0) {
            self.error("`defect-rate` is zero", rate.place, "expected more than 0%");
        }
        GatewayPlan::Embedded {
            preset,
            defects: embedded.defects.iter().map(|d| d.value.clone()).collect(),
            defect_rate: self.or("gateway.defect-rate", embedded.defect_rate, Share(1.0)),
            params: self.params(&embedded.params, &known.embedded),
        }
    }

    fn defect(&mut self, name: &str, place: Place) {
        self.refer("defect", name, place, self.options.known.defects.iter().map(String::as_str));
    }

    /// Defects of the command line.
    fn extra_defects(&mut self, plan: &mut GatewayPlan) {
        for name in &self.options.defects {
            let place = self.option("--defect", name);
            self.defect(name, place);
            match plan {
                GatewayPlan::Embedded { defects, .. } if !defects.contains(name) => {
                    defects.push(name.clone())
                }
                GatewayPlan::Embedded { .. } => {}
                _ => self.advise(
                    format!("defect `{name}` on a real gateway"),
                    place,
                    "only the embedded gateway has defects",
                    "add `--gateway embedded`",
                ),
            }
        }
    }

    fn recipe(&mut self, recipe: &Recipe) -> GatewayPlan {
        let known = &self.options.known;
        let names = known.recipes.iter().map(|r| r.name.as_str());
        let at = self.refer("recipe", &recipe.name.value, recipe.name.place, names);
        self.took("gateway.name", recipe.name.place);
        let params = match at {
            Some(at) => self.params(&recipe.params, &known.recipes[at]),
            None => BTreeMap::new(),
        };
        if let Some(version) = &recipe.version {
            self.took("gateway.version", version.place);
            if !is_version(&version.value.0) {
                self.error("no version", version.place, "expected numbers and dots, such as 2.8 or 2.8.25");
            }
        }
        let version = recipe.version.as_ref().map(|version| version.value.0.clone());
        GatewayPlan::Recipe { name: recipe.name.value.clone(), version, params }
    }

    /// The recipe of the command line (`haproxy`, `haproxy@2.8`), with its default parameters.
    fn other_recipe(&mut self, asked: &str) -> GatewayPlan {
        let (name, version) = asked_of(asked);
        let known = &self.options.known;
        let names = known.recipes.iter().map(|r| r.name.as_str()).chain(["embedded"]);
        if known.recipes.iter().all(|r| r.name != name) {
            let place = self.option("--gateway", name);
            self.refer("gateway", name, place, names);
        }
        if let Some(version) = version.as_ref().filter(|version| !is_version(version)) {
            let place = self.option("--gateway", asked);
            let what = format!("`{version}` is no version");
            self.error(what, place, "expected numbers and dots, as in haproxy@2.8");
        }
        let name = self.given("gateway.name", Origin::Option("--gateway"), name.to_owned());
        GatewayPlan::Recipe { name, version, params: BTreeMap::new() }
    }

    fn params(&mut self, params: &Named<Spanned<Word>>, known: &KnownGateway) -> BTreeMap<String, String> {
        for (name, value) in params.iter() {
            self.refer("parameter", &name.value, name.place, known.params.iter().map(String::as_str));
            self.took(format!("gateway.params.{}", name.value), value.place);
        }
        params.iter().map(|(name, word)| (name.value.clone(), word.value.0.clone())).collect()
    }

    fn command(&mut self, command: &Command) -> GatewayPlan {
        if command.run.value.is_empty() {
            self.error("`run` is empty", command.run.place, "expected a program and its arguments");
        }
        if let Some(path) = command.ready.http.as_ref().filter(|p| !p.value.starts_with('/')) {
            self.error("a path does not begin with `/`", path.place, "expected a path such as /healthz");
        }
        if let Some(signal) = &command.stop.signal {
            self.refer("signal", &signal.value, signal.place, SIGNALS);
        }
        self.positive("within", command.ready.within);
        GatewayPlan::Command {
            run: command.run.value.iter().map(|w| w.0.clone()).collect(),
            template: command.template.as_ref().map(|t| t.value.clone()),
            env: command.env.iter().map(|(name, word)| (name.value.clone(), word.0.clone())).collect(),
            ready_path: self.or("gateway.ready-path", command.ready.http.clone(), "/".to_owned()),
            ready_within: self.or("gateway.ready-within", command.ready.within, Span::seconds(10)),
            stop_signal: self.or("gateway.stop-signal", command.stop.signal.clone(), "TERM".to_owned()),
            stop_within: self.or("gateway.stop-within", command.stop.within, Span::seconds(5)),
        }
    }

    fn url(&mut self, url: &Url) -> GatewayPlan {
        let (base, place) = (url.base.value.as_str(), url.base.place);
        let rest = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
        let host_and_port = rest.map(|rest| rest.trim_end_matches('/')).and_then(|rest| {
            rest.rsplit_once(':').filter(|(host, _)| !host.is_empty() && !rest.contains('/'))
        });
        if host_and_port.and_then(|(_, port)| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
            self.error(
                format!("invalid address `{base}`"),
                place,
                "expected http://host:port or https://host:port",
            );
        }
        if let Some(ca) = url.ca.as_ref().filter(|_| base.starts_with("http://")) {
            self.advise(
                "`ca` without TLS",
                ca.place,
                "nobody shows a certificate here",
                "write https:// in `base`",
            );
        }
        self.took("gateway.base", place);
        let ca = url.ca.as_ref().map(|ca| ca.value.clone());
        GatewayPlan::Url { base: base.trim_end_matches('/').to_owned(), ca }
    }

    // === abilities ===

    /// Refuses a gateway that the scenario is not for.
    pub(super) fn only_on(&mut self, file: &File, gateway: &GatewayPlan) {
        let Some(first) = file.only_on.first() else { return };
        let known = &self.options.known;
        let all: Vec<_> = known.recipes.iter().map(|r| r.name.as_str()).chain(["embedded"]).collect();
        for name in &file.only_on {
            self.refer("gateway", &name.value, name.place, all.iter().copied());
        }
        let is = match gateway {
            GatewayPlan::Embedded { .. } => "embedded",
            GatewayPlan::Recipe { name, .. } => name,
            // A gateway of the user's own may be one of them.
            GatewayPlan::Command { .. } | GatewayPlan::Url { .. } => return,
        };
        if file.only_on.iter().all(|name| name.value != is) {
            let names: Vec<_> = file.only_on.iter().map(|name| name.value.as_str()).collect();
            let message = format!("it is for {} only, not for `{is}`", names.join(" and "));
            self.problems.push(Diagnostic::error(message, first.place, "said here").of_gateway());
        }
    }

    /// Refuses what the gateway cannot do: signing, wrong settings, limits on a process that is not ours.
    pub(super) fn capabilities(&mut self, file: &File, gateway: &GatewayPlan) {
        let known = &self.options.known;
        let (what, can): (String, &[String]) = match gateway {
            GatewayPlan::Embedded { .. } => ("the embedded gateway".into(), &known.embedded.can),
            GatewayPlan::Recipe { name, .. } => {
                let Some(recipe) = known.recipes.iter().find(|r| r.name == *name) else { return };
                (format!("the recipe `{name}`"), &recipe.can)
            }
            GatewayPlan::Command { .. } => ("a command".into(), &[]),
            GatewayPlan::Url { .. } => ("a gateway given by address".into(), &[]),
        };
        let cannot_sign = !can.iter().any(|c| c == "sign");
        let workloads = file.load.value.iter().filter_map(|(_, w)| w.sign);
        for sign in workloads.filter(|sign| matches!(sign.value, Either::Short(Sign::Gateway)) && cannot_sign)
        {
            let cannot = Diagnostic::error(format!("{what} cannot sign"), sign.place, "asked to sign here");
            self.problems.push(cannot.help("use `sign: client`, or the embedded gateway").of_gateway());
        }
        let ours = matches!(gateway, GatewayPlan::Embedded { .. } | GatewayPlan::Recipe { .. });
        let speaks = !ours || can.iter().any(|c| c == "http2");
        let asked = file.upstreams.iter().filter_map(|(_, upstream)| upstream.http);
        for http in asked.filter(|http| http.value == Protocol::H2c && !speaks) {
            let message = format!("{what} cannot speak HTTP/2 to upstreams");
            let cannot = Diagnostic::error(message, http.place, "asked to here");
            self.problems.push(cannot.help("the recipe `haproxy` can").of_gateway());
        }
        self.clients_over_http2(file, &what, can, ours);
        let faults =
            file.timeline.value.iter().flat_map(|phase| &phase.inject).map(|inject| &inject.value.fault);
        for fault in faults.filter(|fault| fault.value.info().host == Host::Process) {
            let name = fault.value.name();
            if matches!(gateway, GatewayPlan::Url { .. }) {
                let message = format!("`{name}` needs a gateway that gatecrash starts");
                let label = format!("{what} is not ours");
                self.problems.push(Diagnostic::error(message, fault.place, label).of_gateway());
            } else if name == "misconfigure" {
                self.misconfigure(fault.place, &what, can);
            }
        }
    }

    /// Refuses `client: { http: 2 }` where the gateway does not speak it, and faults on the way there: they are made of
    /// HTTP/1.1.
    fn clients_over_http2(&mut self, file: &File, what: &str, can: &[String], ours: bool) {
        let can = |ability: &str| !ours || can.iter().any(|c| c == ability);
        let clients = file.load.value.iter().filter_map(|(_, workload)| workload.client.as_ref());
        let over_http2: Vec<_> = clients
            .filter_map(|client| {
                let http = client.http.filter(|http| http.value == Http::Http2)?;
                Some((http.place, client.tls.is_some_and(|tls| tls.value)))
            })
            .collect();
        for (place, tls) in &over_http2 {
            let refused = match (can("http2-from-clients"), can("http2-from-clients-over-tls"), tls) {
                (true, ..) | (_, true, true) => continue,
                (_, true, false) => ("speaks HTTP/2 to clients over TLS only", "add `tls: true`"),
                (_, false, _) => {
                    ("does not speak HTTP/2 to clients", "the embedded gateway, nginx and haproxy do")
                }
            };
            let (how, help) = refused;
            let message = format!("{what} {how}");
            self.problems.push(Diagnostic::error(message, *place, "asked to here").help(help).of_gateway());
        }
        let injected = file.timeline.value.iter().flat_map(|phase| &phase.inject);
        let on_clients = injected
            .filter(|inject| inject.value.target.side.is_some_and(|side| side.value == Side::Client))
            .filter(|_| !over_http2.is_empty());
        for inject in on_clients {
            let message =
                format!("`{}` on the clients' side with `http: 2`", inject.value.fault.value.name());
            let help = "leave `http: 2` out of all workloads, or aim the fault at the upstreams";
            self.advise(message, inject.value.fault.place, "it is made of HTTP/1.1", help);
        }
    }

    /// Gateways declare which settings can be made wrong.
    fn misconfigure(&mut self, fault: Place, what: &str, can: &[String]) {
        let settings: Vec<_> = can.iter().map(String::as_str).filter(|c| MISTAKES.contains(c)).collect();
        let label = match settings.as_slice() {
            [] => "it can misconfigure nothing".to_owned(),
            list => format!("it can misconfigure {}", list.join(", ")),
        };
        let node = self.node(fault).and_then(|f| f.get("misconfigure"));
        for (key, _) in node.map_or(&[][..], |n| n.entries()) {
            if !settings.contains(&key.text.as_str()) {
                let message = format!("{what} cannot misconfigure `{}`", key.text);
                self.problems.push(Diagnostic::error(message, key.place, label.clone()).of_gateway());
            }
        }
    }
}

/// Recipe and version of `--gateway NAME@VERSION`.
fn asked_of(asked: &str) -> (&str, Option<String>) {
    match asked.split_once('@') {
        Some((name, version)) => (name, Some(version.to_owned())),
        None => (asked, None),
    }
}

fn is_version(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}
