//! `junit`: a suite for each case, a failure for each thing that got worse; a case without change is a test that passed.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::ChangeRenderer;
use crate::compare::{Changes, Weight};
use crate::report::text::clean;

pub(super) const RENDERER: ChangeRenderer = ChangeRenderer {
    name: "junit",
    summary: "JUnit XML: a suite per case, a failure for each thing that got worse",
    render: |changes, _| render(changes).into_bytes(),
};

fn render(changes: &Changes) -> String {
    let mut document = Report::new("gatecrash compare");
    for case in &changes.cases {
        let title = clean(case);
        let mut suite = TestSuite::new(title.as_str());
        let own: Vec<_> = changes.changes.iter().filter(|change| change.case == *case).collect();
        for change in &own {
            let is_worse = change.weight == Weight::Regression;
            let mut status = match is_worse {
                true => TestCaseStatus::non_success(NonSuccessKind::Failure),
                false => TestCaseStatus::success(),
            };
            let sentence = change.sentence();
            status.set_message(sentence.as_str()).set_type("regression");
            let place =
                change.phase.as_ref().map_or_else(String::new, |phase| format!(" in {}", clean(phase)));
            let mut test = TestCase::new(format!("{}{place}", clean(&change.what)), status);
            test.set_classname(title.as_str());
            test.extra.insert("file".into(), clean(&change.source).into());
            test.extra.insert("line".into(), change.line.to_string().into());
            if !is_worse {
                test.set_system_out(format!("{}: {sentence}", change.weight.word()));
            }
            suite.add_test_case(test);
        }
        if !own.iter().any(|change| change.weight == Weight::Regression) {
            let mut test = TestCase::new("no regression", TestCaseStatus::success());
            test.set_classname(title.as_str());
            suite.add_test_case(test);
        }
        document.add_test_suite(suite);
    }
    document.to_string().expect("strings are clean and writing to memory does not fail")
}
