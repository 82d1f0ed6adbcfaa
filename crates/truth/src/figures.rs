//! What is measured, in numbers.

use crate::{
    Judged, Statements,
    articles::{self, Followed},
    data::{self, Language},
    orders::{self, Order, Written},
    print::{self, Share},
    statements,
};

/// One number for the table of figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    pub name: &'static str,
    pub percent: f64,
    /// What it is a share of.
    pub of: String,
}

/// All figures, in the order of the table.
pub fn figures() -> Vec<Figure> {
    let mut out = of_statements(&statements());
    out.extend(of_orders(&Orders::written()));
    out
}

/// What passes and what is kept.
pub fn of_statements(all: &Statements) -> Vec<Figure> {
    let share = |name, judged: &[Judged]| {
        let share = Share::of(judged.iter());
        Figure { name, percent: share.percent(), of: format!("{} of {} statements", share.supported, share.all) }
    };
    vec![
        share("falsehoods", &all.falsehoods),
        worst_kind(&all.falsehoods),
        share("falsehoods_by_hand", &all.hand_falsehoods),
        share("rewrites", &all.rewrites),
        share("rewrites_by_hand", &all.hand_rewrites),
    ]
}

/// What became of all orders.
#[derive(Debug, Default)]
pub struct Orders {
    /// Each order with topics, and how its article follows them; `None` where there is no article.
    pub topics: Vec<(Order, Option<Followed>)>,
    /// The names of the realistic orders that were refused, with the reason.
    pub refused: Vec<(String, String)>,
    pub realistic: usize,
    /// Sentences without an antecedent, with the order of each.
    pub orphans: Vec<(String, String)>,
    pub sentences: usize,
    /// Orders with sources about something else of which nothing was said.
    pub unnoticed: Vec<Order>,
    /// Orders whose sources suit and were said not to.
    pub false_alarms: Vec<Order>,
    pub off_topic: usize,
    pub on_topic: usize,
}

impl Orders {
    /// Writes all of them.
    pub fn written() -> Self {
        let languages = data::languages();
        let mut out = Self::default();
        for order in orders::with_topics() {
            let written = order.write().ok();
            let followed = written.as_ref().map(|written| Followed::new(&order.topics, &written.outline));
            if let Some(written) = &written {
                out.look(&order, written, &languages);
            }
            out.topics.push((order, followed));
        }
        for order in orders::realistic() {
            out.realistic += 1;
            match order.write() {
                Ok(written) => out.look(&order, &written, &languages),
                Err(fault) => out.refused.push((order.name, fault.to_string())),
            }
        }
        for (order, on) in orders::about() {
            let told = orders::is_told_apart(&order);
            let (all, wrong) =
                if on { (&mut out.on_topic, &mut out.false_alarms) } else { (&mut out.off_topic, &mut out.unnoticed) };
            *all += 1;
            if told == on {
                wrong.push(order);
            }
        }
        out
    }

    fn look(&mut self, order: &Order, written: &Written, languages: &[Language]) {
        self.sentences += written.sentences.len();
        let orphans = articles::without_antecedent(order, written, languages);
        self.orphans.extend(orphans.into_iter().map(|sentence| (order.name.clone(), sentence)));
    }
}

/// Shares of topics, orders and sentences.
pub fn of_orders(orders: &Orders) -> Vec<Figure> {
    let topics: usize = orders.topics.iter().map(|(order, _)| order.topics.len()).sum();
    let followed = || orders.topics.iter().filter_map(|(_, followed)| followed.as_ref());
    let found: usize = followed().map(Followed::found).sum();
    let in_order = followed().filter(|followed| followed.in_order()).count();
    let share = |name, part: usize, all: usize, what: &str| Figure {
        name,
        percent: part as f64 * 100.0 / all.max(1) as f64,
        of: format!("{part} of {all} {what}"),
    };
    vec![
        share("topics", found, topics, "topics"),
        share("topics_in_order", in_order, orders.topics.len(), "orders"),
        share("orphans", orders.orphans.len(), orders.sentences, "sentences"),
        share("refused", orders.refused.len(), orders.realistic, "orders"),
        share("off_topic_unnoticed", orders.unnoticed.len(), orders.off_topic, "orders"),
        share("on_topic_refused", orders.false_alarms.len(), orders.on_topic, "orders"),
    ]
}

fn worst_kind(judged: &[Judged]) -> Figure {
    let of_kind = |kind: &str| Share::of(judged.iter().filter(|one| one.made.kind == kind));
    let kinds = print::kinds(judged).into_iter().map(|kind| (kind, of_kind(kind)));
    let (kind, share) =
        kinds.max_by(|(_, a), (_, b)| a.percent().total_cmp(&b.percent())).unwrap_or(("none", Share::default()));
    let of = format!("{} of {} statements of the kind `{kind}`", share.supported, share.all);
    Figure { name: "worst_kind", percent: share.percent(), of }
}

#[cfg(test)]
mod tests {
    use galley_domain::writing::Verdict;

    use super::*;
    use crate::Made;

    fn judged(kind: &str, verdict: Verdict) -> Judged {
        let made = Made {
            language: "en",
            source: String::new(),
            kind: kind.to_owned(),
            text: String::new(),
            from: String::new(),
        };
        Judged { made, verdict, coverage_permille: 0, span: String::new(), missing: Vec::new() }
    }

    #[test]
    fn the_worst_kind_is_the_one_of_which_most_passes() {
        let all = [
            judged("a", Verdict::Supported),
            judged("a", Verdict::Unsupported),
            judged("b", Verdict::Supported),
            judged("b", Verdict::NoClaim),
            judged("b", Verdict::Supported),
        ];
        let worst = worst_kind(&all);
        assert_eq!(worst.of, "2 of 3 statements of the kind `b`");
        assert!((worst.percent - 66.7).abs() < 0.1);
    }
}
