//! One link with faults that are on all the time.

use std::net::SocketAddr;
use std::sync::Arc;

use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::faults::Host;
use gatecrash_core::plan::Plan;

use super::super::super::{print, signals};
use super::super::{ground, one_plan};
use crate::exit::{Exit, Failure};
use crate::topology::listener_state;

/// Serves one link with faults that are on all the time.
pub(super) async fn serve(
    listen: SocketAddr,
    upstream: SocketAddr,
    faults: &[String],
    probability: &str,
    seed: u64,
) -> Result<Exit, Failure> {
    let end = signals::end()?;
    let plan = plan(faults, probability, seed)?;
    if let Some(other) =
        plan.faults.iter().find(|f| !matches!(f.spec.info().host, Host::Link | Host::Listener))
    {
        return Err(Failure::usage(format!("the fault `{}` does not act in a proxy", other.spec.name()))
            .hint("it acts in the mock S3 or on the gateway: give it in a scenario"));
    }
    let ground = ground(&plan);
    let rules = Arc::new(gatecrash_core::rules::RuleSet::new(&plan));
    (0..plan.faults.len()).for_each(|fault| rules.switch(fault as u16, true));
    let shared = gatecrash_wire::Shared {
        clock: ground.clock,
        sink: ground.sink,
        rules,
        registry: Arc::default(),
        attempts: Arc::default(),
    };
    let config = gatecrash_wire::LinkConfig {
        run: ground.run,
        ..gatecrash_wire::LinkConfig::between(listen, upstream)
    };
    let link = gatecrash_wire::Link::start(config, shared).map_err(|e| {
        Failure::environment(format!("cannot listen on {listen}: {e}"))
            .hint("choose another address with --listen")
    })?;
    for (index, fault) in plan.faults.iter().enumerate() {
        if let Some(state) = listener_state(&fault.spec)
            && !link.set_listener_for(state, index as u16).await
        {
            link.stop().await;
            return Err(Failure::environment(format!("{} was not confirmed by a probe", fault.spec.name())));
        }
    }
    print(&format!("http://{} -> {upstream}\n", link.addr()));
    end.await;
    link.stop().await;
    Ok(Exit::Pass)
}

/// A scenario around the faults, so that they are read as they are anywhere.
fn plan(faults: &[String], probability: &str, seed: u64) -> Result<Plan, Failure> {
    let injected: String = faults
        .iter()
        .map(|f| format!("      - {{ probability: {probability}, fault: {{ {f} }} }}\n"))
        .collect();
    let inject = if injected.is_empty() { String::new() } else { format!("    inject:\n{injected}") };
    let text = format!(
        "gatecrash: 1\nname: proxy\nseed: {seed}\nload: {{ none: {{ open: {{ rate: 1/s }}, bucket: media, ops: {{ GetObject: 100% }} }} }}\n\
         buckets: {{ media: {{ objects: {{ count: 1, key: \"{{n}}\", size: 1KiB }} }} }}\n\
         timeline:\n  - phase: always\n    for: 1h\n{inject}expect: [{{ check: {{ success-rate: {{ min: 0% }} }} }}]\n"
    );
    let source = SourceText::new("--fault", text);
    one_plan(&source)
}
