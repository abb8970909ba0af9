//! What `run`, `check` and `selftest` share: which scenarios, with which overrides.

use std::path::PathBuf;

use clap::Args;
use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::plan::Plan;
use gatecrash_core::scenario::{Case, Options};

use crate::exit::Failure;
use crate::{gateway, output, suite};

/// Which scenarios, and what is changed in them.
#[derive(Args, Debug, Clone, Default)]
pub(super) struct Selection {
    /// Scenario files or folders, or names of shipped scenarios
    paths: Vec<PathBuf>,
    /// Put this gateway in the place of the scenario's: embedded, a recipe such as nginx or haproxy@2.8, or for `run`
    /// all that are installed: `all`
    #[arg(long, value_name = "NAME")]
    pub(super) gateway: Option<String>,
    /// Switch a defect of the reference gateway on (repeatable)
    #[arg(long, value_name = "DEFECT")]
    pub(super) defect: Vec<String>,
    /// Change a value of the file, such as vars.rate=50/s or load.readers.open.rate=50/s (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Seed of every draw: a number, or `random`
    #[arg(long, value_name = "N")]
    seed: Option<String>,
    /// Only scenarios with this tag (repeatable: any of them)
    #[arg(long)]
    tag: Vec<String>,
    /// Only matrix cases whose title contains this text; for `capacity`, cases of that section
    #[arg(long)]
    pub(super) case: Option<String>,
}

impl Selection {
    /// Whether no scenario is named.
    pub(super) fn is_unnamed(&self) -> bool {
        self.paths.is_empty()
    }

    /// The scenario texts: what was named, or the built-in suite.
    pub(super) fn sources(&self) -> Result<Vec<SourceText>, Failure> {
        if self.paths.is_empty() { Ok(suite::shipped()) } else { suite::read(&self.paths) }
    }

    /// The same selection as a baseline: without the defects, on another gateway where one is named, with further changes.
    pub(super) fn of_baseline(&self, gateway: Option<&str>, set: &[String]) -> Self {
        let gateway = gateway.map(str::to_owned).or_else(|| self.gateway.clone());
        let set = self.set.iter().chain(set).cloned().collect();
        Self { gateway, set, defect: Vec::new(), ..self.clone() }
    }

    /// The plans; nothing selected is an error.
    pub(super) fn plans(&self) -> Result<Vec<Plan>, Failure> {
        Ok(self.cases()?.into_iter().map(|case| case.plan).collect())
    }

    /// Of scenarios that were not asked for by name, those that this program was built for; the others are named.
    pub(super) fn possible(
        &self,
        mut plans: Vec<Plan>,
        built_for: impl Fn(&Plan) -> Result<(), Failure>,
    ) -> Result<Vec<Plan>, Failure> {
        let by_name = self.by_name();
        plans.retain(|plan| {
            let refused = built_for(plan).err().filter(|_| !by_name.contains(&plan.source));
            if let Some(why) = &refused {
                output::note(&format!("skipped: {}: {}", plan.title(), why.message));
            }
            refused.is_none()
        });
        if plans.is_empty() { Err(nothing()) } else { Ok(plans) }
    }

    /// The sources that were asked for by their own names, not by those of a theme or a folder.
    fn by_name(&self) -> Vec<String> {
        let sources = self.paths.iter().filter_map(|path| suite::read(std::slice::from_ref(path)).ok());
        let alone = sources.filter(|sources| sources.len() == 1);
        alone.flatten().map(|source| source.name).collect()
    }

    /// The plans of every gateway that is installed, one gateway after the other; those that are not are named.
    pub(super) fn plans_of_all_gateways(&self) -> Result<Vec<Plan>, Failure> {
        let installed = super::block_on(async { Ok(gateway::installed().await?) })?;
        if !installed.absent.is_empty() {
            output::note(&format!("not installed here: {}", installed.absent.join(", ")));
        }
        let mut plans = Vec::new();
        for name in installed.here {
            let selection = Self { gateway: Some(name.clone()), ..self.clone() };
            let cases = selection.selected()?;
            if cases.is_empty() {
                output::note(&format!("nothing of this is for the gateway {name}"));
            }
            plans.extend(cases.into_iter().map(|case| case.plan));
        }
        if plans.is_empty() { Err(nothing()) } else { Ok(plans) }
    }

    /// The plans with the origin of their values; nothing selected is an error.
    pub(super) fn cases(&self) -> Result<Vec<Case>, Failure> {
        let cases = self.selected()?;
        if cases.is_empty() { Err(nothing()) } else { Ok(cases) }
    }

    fn selected(&self) -> Result<Vec<Case>, Failure> {
        let options = self.options()?;
        let mut tags = self.tag.clone();
        if self.paths.is_empty() && tags.is_empty() {
            tags.push(suite::BUILT_IN.to_owned());
        }
        let mut sources = self.sources()?;
        if !tags.is_empty() {
            let is_of_scenario = |(path, _): &&(String, String)| !path.starts_with("gateway.");
            let set = options.set.iter().filter(is_of_scenario).cloned().collect();
            let own = Options { gateway: None, defects: Vec::new(), set, ..options.clone() };
            sources.retain(|source| suite::has_tag(source, &tags, &own));
        }
        let mut cases = suite::plan_all(&sources, &options)?;
        cases.retain(|c| self.case.as_deref().is_none_or(|wanted| c.plan.title().contains(wanted)));
        Ok(cases)
    }

    fn options(&self) -> Result<Options, Failure> {
        let set = self.set.iter().map(|text| {
            let pair = text.split_once('=').map(|(path, value)| (path.to_owned(), value.to_owned()));
            pair.ok_or_else(|| {
                Failure::usage(format!("--set {text} has no `=`")).hint("for example --set vars.rate=50/s")
            })
        });
        let seed = match self.seed.as_deref() {
            None => None,
            Some("random") => Some(
                u64::from(std::process::id())
                    ^ std::time::SystemTime::now()
                        .duration_since(std::time::UNIX_EPOCH)
                        .map_or(0, |d| d.as_secs()),
            ),
            Some(text) => Some(
                text.parse()
                    .map_err(|_| Failure::usage(format!("--seed {text} is neither a number nor `random`")))?,
            ),
        };
        Ok(Options {
            set: set.collect::<Result<_, _>>()?,
            seed,
            gateway: self.gateway.clone(),
            defects: self.defect.clone(),
            known: gateway::known(),
        })
    }
}

fn nothing() -> Failure {
    Failure::usage("nothing was selected").hint("`gatecrash list scenarios` shows names and tags")
}

/// No overrides.
pub(super) fn plain() -> Options {
    Options { known: gateway::known(), ..Options::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_by_name_may_be_left_out() {
        let plans = |tag: &str| {
            let by_tag = Selection { tag: vec![tag.to_owned()], ..Selection::default() };
            by_tag.plans().expect("shipped scenarios")
        };
        let through_the_sdk = |plan: &Plan| match plan.name == "sdk-tries" {
            true => Err(Failure::usage("built without the SDK")),
            false => Ok(()),
        };
        let names = |plans: Vec<Plan>| plans.into_iter().map(|plan| plan.name).collect::<Vec<_>>();
        let (all, by_tag) = (plans("server-side"), Selection::default());
        let left = names(by_tag.possible(all.clone(), through_the_sdk).expect("some are left"));
        let mut wanted = names(all.clone());
        wanted.retain(|name| name != "sdk-tries");
        assert!(wanted.len() < all.len());
        assert_eq!(left, wanted);
        let by_theme = Selection { paths: vec!["server-side".into()], ..Selection::default() };
        assert_eq!(names(by_theme.possible(all.clone(), through_the_sdk).expect("some are left")), wanted);
        // By its name it is kept, so that who asked for it is told why it cannot be.
        let by_name = Selection { paths: vec!["server-side/sdk-tries".into()], ..Selection::default() };
        let only = by_name.plans().expect("a shipped scenario");
        assert_eq!(by_name.possible(only.clone(), through_the_sdk).expect("kept"), only);
        assert!(by_tag.possible(only, through_the_sdk).is_err(), "an empty run is no success");
    }
}
