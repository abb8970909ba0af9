//! One request as a waterfall: a bar for the client and one for each attempt, on one axis.

use crate::explain::{Doing, Row, Waterfall};
use crate::report::text::{clean, escape};

pub(super) fn drawn(fall: &Waterfall) -> String {
    let rows: String = fall.rows.iter().map(|row| drawn_row(row, fall.until)).collect();
    let more = match fall.more {
        0 => String::new(),
        more => format!("<div class='fall-end'>and {more} more attempts</div>"),
    };
    let keys: String = Doing::ALL
        .iter()
        .map(|d| format!("<span class='key'><i class='do-{0}'></i>{0}</span>", d.word()))
        .collect();
    format!(
        "<div class='fall'><div class='fall-head'><code>{}</code> {:.1} ms {keys}</div>{rows}{more}</div>",
        escape(&clean(&fall.request)),
        fall.until as f64 / 1e3
    )
}

fn drawn_row(row: &Row, until: u64) -> String {
    let share = |at: u64| at as f64 * 100.0 / until.max(1) as f64;
    let bars: String = row
        .stretches
        .iter()
        .map(|s| {
            let (left, width) = (share(s.from), (share(s.until) - share(s.from)).max(0.4));
            let (from, until) = (s.from as f64 / 1e3, s.until as f64 / 1e3);
            format!(
                "<i class='do-{0}' style='left:{left:.2}%;width:{width:.2}%' \
                 title='{0} {from:.1} to {until:.1} ms'></i>",
                s.doing.word()
            )
        })
        .collect();
    format!(
        "<div class='fall-row'><span>{}</span><span class='fall-bar'>{bars}</span></div>\
         <div class='fall-end'>{}</div>",
        escape(&clean(&row.who)),
        escape(&clean(&row.end))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::Stretch;

    #[test]
    fn bars_stand_where_their_times_are_and_text_is_harmless() {
        let row = Row {
            who: "<eu>/1".into(),
            stretches: vec![Stretch { doing: Doing::Waiting, from: 250, until: 1000 }],
            end: "503 <b>".into(),
        };
        let page = drawn(&Waterfall { request: "0-1".into(), until: 1000, rows: vec![row], more: 2 });
        assert!(page.contains("class='do-waiting' style='left:25.00%;width:75.00%'"), "{page}");
        assert!(page.contains("&lt;eu&gt;/1") && page.contains("503 &lt;b&gt;"), "{page}");
        assert!(page.contains("and 2 more attempts"), "{page}");
    }
}
