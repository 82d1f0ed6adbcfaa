//! The calendar: what was published, what is promised, what is planned, and what comes again by itself.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use galley_domain::{OrgId, Principal, order::FieldError, publishing::PostStatus, schedule::ScheduleStatus};
use galley_recurrence::{Missed, MomentRequest, Recurrence};
use galley_store::{CalendarFilter, CalendarRow, NewFeed, ScheduleFilter, StoreError, rows};
use uuid::Uuid;

use super::{
    missed::Promise,
    posts::{PostEdit, post_status},
    schedule::SchedulePostRequest,
};
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey, once},
    keys::{hash_key, is_well_formed, random_secret},
    projects::refuse_trashed,
    system::SystemCalls,
};

/// Days of one calendar.
const MOST_DAYS: i64 = 92;
const MOST_ITEMS: u64 = 5_000;
/// Of one schedule in one calendar.
const MOST_TIMES: usize = 100;
const MOST_SCHEDULES: u64 = 200;
const MOST_FEEDS: usize = 50;
/// What goes out sooner after another one of its project is told.
const TOO_NEAR: TimeDelta = TimeDelta::minutes(15);
/// What a feed shows, around today.
const FEED_BACK: TimeDelta = TimeDelta::days(31);
const FEED_AHEAD: TimeDelta = TimeDelta::days(366);
const FEED_PREFIX: &str = "cal_";

/// What of the calendar is asked for.
#[derive(Debug, Clone)]
pub struct CalendarRequest {
    /// Both included.
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub project_id: Option<Uuid>,
    pub status: Option<PostStatus>,
    /// Those without a date, too.
    pub shelf: bool,
}

/// Why an article stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalendarKind {
    Planned,
    Scheduled,
    Published,
    /// A time of a schedule.
    Recurring,
}

/// An entry of the calendar.
#[derive(Debug, Clone)]
pub struct CalendarItem {
    /// None for a time of a schedule.
    pub article_id: Option<Uuid>,
    pub project_id: Option<Uuid>,
    pub title: String,
    pub status: Option<PostStatus>,
    pub kind: CalendarKind,
    pub at: Option<DateTime<Utc>>,
    pub date: Option<NaiveDate>,
    pub timezone: String,
    pub schedule_id: Option<Uuid>,
    pub updated_at: DateTime<Utc>,
}

/// A calendar with what should be known about it.
#[derive(Debug, Clone, Default)]
pub struct Calendar {
    pub items: Vec<CalendarItem>,
    pub shelf: Vec<CalendarItem>,
    pub warnings: Vec<(NaiveDate, String)>,
}

/// Where an article is moved to.
#[derive(Debug, Clone)]
pub enum CalendarMove {
    Hour(MomentRequest),
    /// A day without a promise, or none.
    Day(Option<NaiveDate>),
}

/// A feed with its token, which is shown this once.
#[derive(Debug, Clone)]
pub struct IssuedFeed {
    pub row: rows::CalendarFeed,
    /// None in the repetition of an answer: it is stored nowhere.
    pub token: Option<String>,
}

impl Services {
    pub async fn calendar(&self, org: OrgId, request: &CalendarRequest) -> Result<Calendar, ServiceError> {
        check(request)?;
        let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc();
        let (from, to) = (midnight(request.from), midnight(request.to) + TimeDelta::days(1));
        let filter = CalendarFilter {
            from,
            to,
            days: (request.from, request.to),
            project_id: request.project_id,
            statuses: Vec::new(),
            shelf: request.shelf,
            limit: MOST_ITEMS,
        };
        let mut calendar = Calendar::default();
        for row in self.store.tenant(org).calendar(&filter).await? {
            let item = item(&row)?;
            let is_wanted = request.status.is_none_or(|status| item.status == Some(status));
            match (is_wanted, item.date) {
                (false, _) => {}
                (true, None) => calendar.shelf.push(item),
                (true, Some(_)) => calendar.items.push(item),
            }
        }
        if request.status.is_none() {
            calendar.items.extend(self.recurring(org, request, from, to).await?);
        }
        calendar.items.sort_by_key(|item| (item.at, item.date));
        calendar.warnings = self.warnings(org, &calendar.items).await?;
        Ok(calendar)
    }

    /// Times of active schedules.
    async fn recurring(
        &self,
        org: OrgId,
        request: &CalendarRequest,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<CalendarItem>, ServiceError> {
        let tenant = self.store.tenant(org);
        let active =
            ScheduleFilter { status: Some(ScheduleStatus::Active), limit: MOST_SCHEDULES, ..ScheduleFilter::default() };
        let now = tenant.now().await?;
        let mut items = Vec::new();
        for schedule in tenant.schedules(&active).await?.0 {
            if request.project_id.is_some() && schedule.project_id != request.project_id {
                continue;
            }
            let recurrence: Recurrence =
                serde_json::from_value(schedule.recurrence.clone()).map_err(StoreError::from)?;
            let times = recurrence.upcoming(from.max(now)).take(MOST_TIMES).take_while(|time| time.at < to);
            items.extend(times.map(|time| CalendarItem {
                article_id: None,
                project_id: schedule.project_id,
                title: schedule.name.clone(),
                status: None,
                kind: CalendarKind::Recurring,
                at: Some(time.at),
                date: Some(time.at.with_timezone(&recurrence.timezone()).date_naive()),
                timezone: recurrence.timezone().name().to_owned(),
                schedule_id: Some(schedule.id),
                updated_at: schedule.updated_at,
            }));
        }
        Ok(items)
    }

    /// Posts of one project that go out at nearly the same time, and those in its quiet hours.
    async fn warnings(&self, org: OrgId, items: &[CalendarItem]) -> Result<Vec<(NaiveDate, String)>, ServiceError> {
        let mut warnings = Vec::new();
        let mut last: BTreeMap<Option<Uuid>, &CalendarItem> = BTreeMap::new();
        let mut quiet: BTreeMap<Uuid, Option<(u32, u32)>> = BTreeMap::new();
        for item in items.iter().filter(|item| item.kind == CalendarKind::Scheduled) {
            let (Some(at), Some(date)) = (item.at, item.date) else { continue };
            if let Some(before) = last.insert(item.project_id, item)
                && before.at.is_some_and(|before| at - before < TOO_NEAR)
            {
                warnings.push((date, format!("'{}' and '{}' go out within 15 minutes", before.title, item.title)));
            }
            let Some(project) = item.project_id else { continue };
            let hours = match quiet.get(&project) {
                Some(hours) => *hours,
                None => {
                    let settings = self.store.tenant(org).project(project).await?.map(|project| project.settings);
                    *quiet.entry(project).or_insert(settings.as_ref().and_then(quiet_hours))
                }
            };
            if hours.is_some_and(|hours| is_within(hours, minute_of_day(at, &item.timezone))) {
                warnings.push((date, format!("'{}' goes out in the quiet hours of its project", item.title)));
            }
        }
        Ok(warnings)
    }

    /// Moves an article, if nobody has changed it since `seen`.
    pub async fn move_in_calendar(
        &self,
        principal: &Principal,
        id: Uuid,
        to: CalendarMove,
        seen: &[DateTime<Utc>],
        trace_id: &str,
    ) -> Result<CalendarItem, ServiceError> {
        let article = self.article(principal.org, id).await?;
        if !seen.iter().any(|seen| seen.timestamp_millis() == article.updated_at.timestamp_millis()) {
            let text = "the article was changed since you read it; read the calendar again and repeat your move";
            return Err(ServiceError::Stale(text.into()));
        }
        match to {
            CalendarMove::Hour(moment) => {
                let missed = match article.schedule {
                    Some(schedule) => serde_json::from_value::<Promise>(schedule).map_err(StoreError::from)?.missed,
                    None => Missed::default(),
                };
                let connection_id = match article.publication_id {
                    Some(publication) => self.publication(principal.org, publication).await?.connection_id,
                    None => None,
                };
                let request = SchedulePostRequest { moment, connection_id, missed, deployment_id: None };
                self.schedule_post(principal, id, request, trace_id, None).await?;
            }
            CalendarMove::Day(day) => self.plan(principal.org, id, day).await?,
        }
        self.calendar_item(principal.org, id).await
    }

    async fn plan(&self, org: OrgId, id: Uuid, day: Option<NaiveDate>) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        let mut article = tx.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        refuse_trashed(&tx, article.project_id).await?;
        PostEdit { planned_for: Some(day), ..PostEdit::default() }.apply(&mut article)?;
        tx.save_article(article).await?;
        Ok(tx.commit().await?)
    }

    async fn calendar_item(&self, org: OrgId, id: Uuid) -> Result<CalendarItem, ServiceError> {
        let article = self.article(org, id).await?;
        item(&CalendarRow {
            id: article.id,
            project_id: article.project_id,
            title: article.title,
            status: article.status,
            published_at: article.published_at,
            scheduled_at: article.scheduled_at,
            planned_for: article.planned_for,
            schedule: article.schedule,
            updated_at: article.updated_at,
        })
    }

    /// What a feed shows to whoever has its token.
    pub async fn calendar_feed(&self, token: &str) -> Result<Vec<CalendarItem>, ServiceError> {
        self.system().feed(token).await
    }

    /// Newest first.
    pub async fn calendar_feeds(&self, org: OrgId) -> Result<Vec<rows::CalendarFeed>, ServiceError> {
        Ok(self.store.tenant(org).calendar_feeds().await?)
    }

    pub async fn create_calendar_feed(
        &self,
        org: OrgId,
        name: &str,
        project_id: Option<Uuid>,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<IssuedFeed>, ServiceError> {
        let token = random_secret(FEED_PREFIX);
        let new = NewFeed { id: Uuid::now_v7(), name: name.trim().to_owned(), project_id, hash: hash_key(&token) };
        let tx = self.store.begin(org).await?;
        let answer = once(tx, key, |tx| async move {
            tx.hold_slug("calendar_feeds").await?;
            if tx.calendar_feeds().await?.len() >= MOST_FEEDS {
                let text = format!("there are {MOST_FEEDS} feeds, which is the most; revoke one first");
                return Err(ServiceError::Conflict(text));
            }
            if let Some(project) = new.project_id
                && !tx.has_project(project).await?
            {
                let message = format!("there is no project {project}, or it is in the trash");
                return Err(ServiceError::field("project_id", message));
            }
            let feed = tx.insert_calendar_feed(new).await?;
            Ok((tx, feed))
        });
        let Answer { value: row, replayed } = answer.await?;
        Ok(Answer { value: IssuedFeed { row, token: (!replayed).then_some(token) }, replayed })
    }

    /// Its address leads nowhere from now on.
    pub async fn delete_calendar_feed(&self, org: OrgId, id: Uuid) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        let found = tx.delete_calendar_feed(id).await?;
        tx.commit().await?;
        if found { Ok(()) } else { Err(ServiceError::NotFound(Missing::Feed)) }
    }
}

impl SystemCalls<'_> {
    /// What a feed shows to whoever has its token: a month back and a year ahead.
    pub async fn feed(&self, token: &str) -> Result<Vec<CalendarItem>, ServiceError> {
        let found = match is_well_formed(FEED_PREFIX, token) {
            true => self.across.calendar_feed(hash_key(token)).await?,
            false => None,
        };
        let (org, project_id) = found.ok_or(ServiceError::NotFound(Missing::Feed))?;
        let now = self.services.store.tenant(org).now().await?;
        let mut items = Vec::new();
        let mut from = (now - FEED_BACK).date_naive();
        let last = (now + FEED_AHEAD).date_naive();
        while from <= last {
            let to = (from + TimeDelta::days(MOST_DAYS - 1)).min(last);
            let request = CalendarRequest { from, to, project_id, status: None, shelf: false };
            items.extend(self.services.calendar(org, &request).await?.items);
            from = to + TimeDelta::days(1);
        }
        Ok(items)
    }
}

fn check(request: &CalendarRequest) -> Result<(), ServiceError> {
    let days = (request.to - request.from).num_days();
    if days < 0 {
        return Err(ServiceError::field("to", "is before from"));
    }
    if days >= MOST_DAYS {
        let message = format!("is {days} days after from; ask for at most {MOST_DAYS} days at once");
        return Err(ServiceError::Validation(vec![FieldError { field: "to".into(), message }]));
    }
    Ok(())
}

fn item(row: &CalendarRow) -> Result<CalendarItem, ServiceError> {
    let promise: Option<Promise> =
        row.schedule.clone().map(serde_json::from_value).transpose().map_err(StoreError::from)?;
    let timezone = promise.map_or_else(|| "UTC".to_owned(), |promise| promise.timezone);
    let (kind, at) = match (row.scheduled_at, row.published_at) {
        (Some(at), _) => (CalendarKind::Scheduled, Some(at)),
        (None, Some(at)) => (CalendarKind::Published, Some(at)),
        (None, None) => (CalendarKind::Planned, None),
    };
    let local = |at: DateTime<Utc>| match galley_recurrence::parse_zone(&timezone) {
        Ok(zone) => at.with_timezone(&zone).date_naive(),
        Err(_) => at.date_naive(),
    };
    Ok(CalendarItem {
        article_id: Some(row.id),
        project_id: row.project_id,
        title: row.title.clone(),
        status: Some(post_status(&row.status, false, false)?),
        kind,
        at,
        date: at.map(local).or(row.planned_for),
        timezone,
        schedule_id: None,
        updated_at: row.updated_at,
    })
}

/// `settings.quiet_hours {start, end}` of a project, in minutes of the day.
fn quiet_hours(settings: &serde_json::Value) -> Option<(u32, u32)> {
    let minute = |text: &serde_json::Value| {
        let (hours, minutes) = text.as_str()?.split_once(':')?;
        let (hours, minutes) = (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    };
    Some((minute(&settings["quiet_hours"]["start"])?, minute(&settings["quiet_hours"]["end"])?))
}

/// Also over midnight.
fn is_within((start, end): (u32, u32), minute: u32) -> bool {
    if start <= end { (start..end).contains(&minute) } else { minute >= start || minute < end }
}

fn minute_of_day(at: DateTime<Utc>, timezone: &str) -> u32 {
    use chrono::Timelike;
    let local = match galley_recurrence::parse_zone(timezone) {
        Ok(zone) => at.with_timezone(&zone).time(),
        Err(_) => at.time(),
    };
    local.hour() * 60 + local.minute()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        let hours = quiet_hours(&json!({ "quiet_hours": { "start": "22:00", "end": "06:30" } })).expect("hours");
        assert!([22 * 60, 0, 6 * 60 + 29].iter().all(|minute| is_within(hours, *minute)));
        assert!([6 * 60 + 30, 12 * 60, 22 * 60 - 1].iter().all(|minute| !is_within(hours, *minute)));
        assert_eq!(quiet_hours(&json!({ "quiet_hours": { "start": "25:00", "end": "1:00" } })), None);
        assert_eq!(quiet_hours(&json!({})), None);
    }
}
