//! The names of events, ours and 003's.

use galley_domain::text_enum;

text_enum! {
    /// What happened, as ours names it.
    Event {
        TaskCreated = "task.created",
        TaskStarted = "task.started",
        /// At most one in 5 s for a task.
        TaskProgressed = "task.progressed",
        TaskCompleted = "task.completed",
        TaskFailed = "task.failed",
        TaskCancelled = "task.cancelled",
        TaskPaused = "task.paused",
        TaskResumed = "task.resumed",
        ArticleCreated = "article.created",
        ArticleDrafted = "article.drafted",
        ArticleUpdated = "article.updated",
        ArticleApproved = "article.approved",
        ArticleArchived = "article.archived",
        ArticleDeleted = "article.deleted",
        ArticleFailed = "article.failed",
        PublicationScheduled = "publication.scheduled",
        PublicationUnscheduled = "publication.unscheduled",
        PublicationPublished = "publication.published",
        PublicationUpdated = "publication.updated",
        PublicationUnpublished = "publication.unpublished",
        PublicationRemoved = "publication.removed",
        PublicationFailed = "publication.failed",
        PublicationDrifted = "publication.drifted",
        PublicationMissed = "publication.missed",
        ScheduleFired = "schedule.fired",
        ScheduleSkipped = "schedule.skipped",
        ScheduleMissed = "schedule.missed",
        ScheduleAsked = "schedule.asked",
        ScheduleFailed = "schedule.failed",
        SchedulePaused = "schedule.paused",
        ScheduleResumed = "schedule.resumed",
        /// Sent on demand to one endpoint; not counted, not filtered.
        WebhookTest = "webhook.test",
        /// Never sent to the endpoint that it speaks of, as is the next one.
        WebhookDisabled = "webhook.disabled",
        WebhookRecovered = "webhook.recovered",
    }
}

text_enum! {
    /// What happened, as 003 names it.
    Event003 {
        IdeacloudCompleted = "ideacloud.completed",
        IdeacloudFailed = "ideacloud.failed",
        ContentProgress = "content.progress",
        ContentCompleted = "content.completed",
        ContentFailed = "content.failed",
        ComplianceCompleted = "compliance.completed",
        ContentToolsCompleted = "content_tools.completed",
    }
}

/// The work of a task, as far as 003 has a word for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// An article is written.
    Content,
    /// Questions around a keyword are looked for.
    Ideacloud,
    Compliance,
    ContentTools,
}

impl Event {
    /// 003's name for an event of a task that does such work. Events of other objects have none, so that one occurrence
    /// (a task ends, its article is drafted) is not told twice.
    pub fn name_003(self, work: Work) -> Option<Event003> {
        match (self, work) {
            (Self::TaskProgressed, Work::Content) => Some(Event003::ContentProgress),
            (Self::TaskCompleted, Work::Content) => Some(Event003::ContentCompleted),
            (Self::TaskFailed, Work::Content) => Some(Event003::ContentFailed),
            (Self::TaskCompleted, Work::Ideacloud) => Some(Event003::IdeacloudCompleted),
            (Self::TaskFailed, Work::Ideacloud) => Some(Event003::IdeacloudFailed),
            (Self::TaskCompleted, Work::Compliance) => Some(Event003::ComplianceCompleted),
            (Self::TaskCompleted, Work::ContentTools) => Some(Event003::ContentToolsCompleted),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_are_all_there() {
        assert_eq!((Event::ALL.len(), Event003::ALL.len()), (34, 7));
        for event in Event::ALL {
            assert_eq!(event.as_str().parse(), Ok(*event));
        }
        for event in Event003::ALL {
            assert_eq!(event.as_str().parse(), Ok(*event));
        }
        let error = "task.done".parse::<Event>().unwrap_err().to_string();
        assert!(error.starts_with("'task.done' is not one of task.created, "), "{error}");
    }

    #[test]
    fn every_name_of_003_is_reached_once() {
        let works = [Work::Content, Work::Ideacloud, Work::Compliance, Work::ContentTools];
        let mut reached: Vec<_> =
            Event::ALL.iter().flat_map(|event| works.iter().filter_map(|work| event.name_003(*work))).collect();
        reached.sort_unstable();
        assert_eq!(reached, Event003::ALL);
    }
}
