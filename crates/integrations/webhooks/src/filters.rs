//! Which events an endpoint wants.

use galley_domain::order::FieldError;

use crate::{
    Format,
    events::{Event, Event003, Work},
};

/// More entries than this are not taken; there are fewer names.
pub const MAX_FILTERS: usize = 100;
const EVERY: &str = "*";
/// Characters of an unknown name that are looked at and repeated.
const SHOWN_CHARS: usize = 60;

/// The `events` of an endpoint: full names, groups such as `task.*`, or `*`. In the order given, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filters(Vec<String>);

impl Default for Filters {
    /// Every event.
    fn default() -> Self {
        Self(vec![EVERY.to_owned()])
    }
}

impl Filters {
    /// Reads what a client gives as `events`.
    ///
    /// # Errors
    /// As [`Self::of_field`].
    pub fn new(names: &[impl AsRef<str>]) -> Result<Self, Vec<FieldError>> {
        Self::of_field("events", names)
    }

    /// Reads what a client gives in a field of this name.
    ///
    /// # Errors
    /// One for each name that no event has, at `field[n]`, with the nearest one that there is; or one at `field` for an
    /// empty list or more than [`MAX_FILTERS`] entries.
    pub fn of_field(field: &str, names: &[impl AsRef<str>]) -> Result<Self, Vec<FieldError>> {
        let whole = |message: String| Err(vec![FieldError { field: field.to_owned(), message }]);
        if names.is_empty() {
            return whole(format!("must not be empty; leave it out, or give `{EVERY}`, for every event"));
        }
        if names.len() > MAX_FILTERS {
            return whole(format!("has {} entries; give at most {MAX_FILTERS}", names.len()));
        }
        let (mut kept, mut wrong) = (Vec::new(), Vec::new());
        for (i, name) in names.iter().map(AsRef::as_ref).enumerate() {
            if !is_known(name) {
                wrong.push(FieldError { field: format!("{field}[{i}]"), message: unknown(name) });
            } else if !kept.iter().any(|known| known == name) {
                kept.push(name.to_owned());
            }
        }
        if wrong.is_empty() { Ok(Self(kept)) } else { Err(wrong) }
    }

    /// Takes what was stored. A name that is no longer known matches nothing.
    pub fn stored(names: Vec<String>) -> Self {
        Self(names)
    }

    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The full names of the events that they stand for; `None` for every event.
    pub fn events(&self) -> Option<Vec<&'static str>> {
        let every = self.0.iter().any(|filter| filter == EVERY);
        (!every).then(|| all_names().filter(|name| self.0.iter().any(|filter| covers(filter, name))).collect())
    }

    /// The type under which an endpoint wants this event; `None` when it does not. `work` is what the event's task does,
    /// when it is one that 003 knows.
    ///
    /// A standard endpoint hears 003's name only when a filter says that one and none says ours. An endpoint of 003 hears
    /// 003's names, and of ours those that its filters name: its `*` means every event of 003.
    pub fn type_for(&self, format: Format, event: Event, work: Option<Work>) -> Option<&'static str> {
        if event == Event::WebhookTest {
            return Some(event.as_str());
        }
        let ours = event.as_str();
        let theirs = work.and_then(|work| event.name_003(work)).map(Event003::as_str);
        let every = self.0.iter().any(|filter| filter == EVERY);
        let named = |name: &&'static str| self.0.iter().any(|filter| covers(filter, name));
        match format {
            Format::Standard => Some(ours).filter(|name| every || named(name)).or(theirs.filter(named)),
            Format::V003 => theirs.filter(|name| every || named(name)).or(Some(ours).filter(named)),
        }
    }
}

/// Does a filter other than `*` name this event, itself or by its group?
fn covers(filter: &str, name: &str) -> bool {
    match filter.strip_suffix(".*") {
        Some(group) => group_of(name) == group,
        None => filter == name,
    }
}

fn group_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(group, _)| group)
}

fn all_names() -> impl Iterator<Item = &'static str> {
    Event::ALL.iter().map(|event| event.as_str()).chain(Event003::ALL.iter().map(|event| event.as_str()))
}

/// `task.*` and so on, each once, in the order of the names.
fn all_groups() -> Vec<String> {
    let mut groups: Vec<String> = all_names().map(|name| format!("{}.*", group_of(name))).collect();
    let mut seen = std::collections::HashSet::new();
    groups.retain(|group| seen.insert(group.clone()));
    groups
}

fn is_known(filter: &str) -> bool {
    filter == EVERY || all_names().any(|name| covers(filter, name))
}

fn unknown(name: &str) -> String {
    let shown: String = name.chars().take(SHOWN_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    match nearest(&shown.trim().to_lowercase()) {
        Some(near) => format!("`{shown}` is the name of no event; did you mean `{near}`?"),
        None => {
            let groups = all_groups().join("`, `");
            format!(
                "`{shown}` is the name of no event; give a full name such as `task.completed`, `{groups}` or `{EVERY}`"
            )
        }
    }
}

/// The name or group that was probably meant: one that a slip of the finger away, else one that says the same of
/// another object (`article.published`), else one that is not too far away.
fn nearest(given: &str) -> Option<String> {
    let candidates = all_names().map(str::to_owned).chain(all_groups());
    let (distance, near) =
        candidates.map(|name| (strsim::osa_distance(given, &name), name)).min_by_key(|(distance, _)| *distance)?;
    if distance <= 2 {
        return Some(near);
    }
    let said = given.rsplit(['.', '_', '-', ':', ' ']).next().unwrap_or(given);
    let same = all_names().find(|name| name.split_once('.').is_some_and(|(_, word)| word == said));
    same.map(str::to_owned).or(Some(near).filter(|_| distance <= given.chars().count() / 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filters(names: &[&str]) -> Filters {
        Filters::new(names).unwrap()
    }

    #[test]
    fn every_name_and_group_is_taken() {
        for name in all_names().map(str::to_owned).chain(all_groups()).chain([EVERY.to_owned()]) {
            assert_eq!(Filters::new(&[&name]).unwrap().names(), [name]);
        }
        assert_eq!(all_groups().len(), 9);
        assert_eq!(filters(&["task.*", "task.failed", "task.*"]).names(), ["task.*", "task.failed"], "each once");
        assert_eq!(Filters::default().names(), ["*"]);
    }

    #[test]
    fn all_unknown_names_are_said_with_a_near_one() {
        let given = ["task.completed", "task.complete", "Task.Failed", "article.published", "tasks.*", "\u{1F600}\n"];
        let wrong = Filters::new(&given).unwrap_err();
        let said: Vec<_> = wrong.iter().map(|error| (error.field.as_str(), error.message.as_str())).collect();
        assert_eq!(
            said[..4],
            [
                ("events[1]", "`task.complete` is the name of no event; did you mean `task.completed`?"),
                ("events[2]", "`Task.Failed` is the name of no event; did you mean `task.failed`?"),
                ("events[3]", "`article.published` is the name of no event; did you mean `publication.published`?"),
                ("events[4]", "`tasks.*` is the name of no event; did you mean `task.*`?"),
            ]
        );
        assert!(said[4].1.contains("`content_tools.*`") && !said[4].1.contains('\n'), "{}", said[4].1);
    }

    #[test]
    fn they_stand_for_full_names() {
        assert_eq!(Filters::default().events(), None);
        assert_eq!(filters(&["task.failed", "*"]).events(), None);
        assert_eq!(filters(&["task.failed", "webhook.test"]).events(), Some(vec!["task.failed", "webhook.test"]));
        let of_group = filters(&["task.*", "task.failed"]).events().unwrap();
        assert!(of_group.len() >= 8 && of_group.iter().all(|name| name.starts_with("task.")), "{of_group:?}");
        let wrong = Filters::of_field("event_types", &["*", "task.done"]).unwrap_err();
        assert_eq!(wrong[0].field, "event_types[1]");
    }

    #[test]
    fn odd_filters_are_refused() {
        for odd in ["", ".*", "*.*", "task", "task.", "task*", "*.completed", "task.**", " task.failed", "**"] {
            assert!(Filters::new(&[odd]).is_err(), "{odd:?}");
        }
        let long = "x".repeat(100_000);
        assert!(Filters::new(&[&long]).unwrap_err()[0].message.len() < 400);
        assert_eq!(Filters::new(&[""; 0]).unwrap_err()[0].field, "events");
        let many = Filters::new(&["*"; MAX_FILTERS + 1]).unwrap_err();
        assert!(many[0].message.contains("101 entries; give at most 100"), "{many:?}");
    }

    #[test]
    fn standard_endpoints_hear_our_names_first() {
        let done =
            |names: &[&str]| filters(names).type_for(Format::Standard, Event::TaskCompleted, Some(Work::Content));
        for names in
            [&["*"][..], &["task.*"], &["task.completed"], &["article.*", "task.completed"], &["content.*", "task.*"]]
        {
            assert_eq!(done(names), Some("task.completed"), "{names:?}");
        }
        assert_eq!(done(&["content.completed"]), Some("content.completed"));
        assert_eq!(done(&["content.*"]), Some("content.completed"));
        assert_eq!(done(&["content.failed", "ideacloud.*", "article.*", "task.failed"]), None);
        assert_eq!(filters(&["content.*"]).type_for(Format::Standard, Event::TaskCompleted, None), None);
    }

    #[test]
    fn endpoints_of_003_hear_its_names() {
        let done = |names: &[&str]| filters(names).type_for(Format::V003, Event::TaskCompleted, Some(Work::Ideacloud));
        assert_eq!(done(&["*"]), Some("ideacloud.completed"));
        assert_eq!(done(&["task.*", "ideacloud.*"]), Some("ideacloud.completed"));
        assert_eq!(done(&["task.*"]), Some("task.completed"), "asked for by name");
        let created = |names: &[&str]| filters(names).type_for(Format::V003, Event::TaskCreated, Some(Work::Content));
        assert_eq!(created(&["*"]), None, "003 has no word for it");
        assert_eq!(created(&["task.created"]), Some("task.created"));
    }

    #[test]
    fn a_test_is_not_filtered() {
        for format in [Format::Standard, Format::V003] {
            let wanted = filters(&["schedule.fired"]).type_for(format, Event::WebhookTest, None);
            assert_eq!(wanted, Some("webhook.test"));
        }
    }

    #[test]
    fn a_stored_name_that_is_gone_matches_nothing() {
        let old = Filters::stored(vec!["task.vanished".to_owned()]);
        assert!(
            Event::ALL.iter().all(|event| {
                *event == Event::WebhookTest || old.type_for(Format::Standard, *event, None).is_none()
            })
        );
    }
}
