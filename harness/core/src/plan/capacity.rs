//! What a capacity scenario asks for: the phases of its plan are its cases, and every case is searched with one
//! topology kept up.

use serde::{Deserialize, Serialize};

use super::Plan;
use crate::checks::CheckSpec;
use crate::units::{Rate, Share, Span};

/// How the capacity of each case is found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CapacityPlan {
    /// The workload whose rate varies, by its place in the plan.
    pub workload: u16,
    /// Where to search; without it only the rates that expectations name are tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchPlan>,
    /// Cut off the beginning of every trial, so that a gateway that warms up is not judged by it.
    pub settle: Span,
    /// Measured part of the first, short trials at a rate.
    pub measure: Span,
    /// Measured part of the trials that confirm a rate.
    pub confirm: Span,
    /// How many of these make up the time that decides a rate.
    pub times: u32,
    /// Share of that time that may be bad at a rate that still counts as carried.
    pub exceed: Share,
    /// Whether 1.5 and 2 times the capacity are offered as well, to see what is left of it under overload.
    pub overload: bool,
    /// What every trial has to keep, in order of the file.
    pub slo: Vec<CheckSpec>,
    /// In place of a search: the one rate that somebody asked for on the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Rate>,
    /// The cases that are looked at, by their place among the phases; all of them when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<u16>,
    /// Hard limit on the time a case takes.
    pub within: Span,
    /// The rate that is planned for, to compute headroom and the number of instances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Rate>,
    /// Harness CPU, as a share of all cores, above which a trial says nothing of the gateway.
    pub max_cpu: Share,
}

/// The range of a search.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SearchPlan {
    /// First and lowest rate.
    pub from: Rate,
    /// Highest rate.
    pub to: Rate,
    /// Factor from one rate to the next while nothing breaks, above 1.
    pub grow: f64,
    /// How near the bounds have to come to each other, as a share of the upper one.
    pub precision: Share,
}

impl Plan {
    /// The rates that the expectations on a case name, ascending: what is tried where nothing is searched.
    pub fn asked_rates(&self, phase: u16) -> Vec<Rate> {
        if let Some(rate) = self.capacity.as_ref().and_then(|capacity| capacity.at) {
            return vec![rate];
        }
        let here = self.expectations.iter().filter(|e| e.phase.is_none_or(|p| p == phase));
        let mut rates: Vec<Rate> = here
            .filter_map(|e| match &e.check {
                CheckSpec::Capacity(check) => Some(check.min),
                _ => None,
            })
            .collect();
        rates.sort_by(|a, b| a.0.total_cmp(&b.0));
        rates.dedup();
        rates
    }
}
