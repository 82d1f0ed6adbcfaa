//! The calendar: what was published, what is promised, what is planned, and what comes again by itself.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use galley_domain::{
    OrgId, Principal, article::ArticleStatus, order::FieldError, publishing::PostStatus, schedule::ScheduleStatus,
};
use galley_recurrence::{MomentRequest, Recurrence};
use galley_store::{CalendarFilter, CalendarRow, PostState, ScheduleFilter, StoreError, rows};
use uuid::Uuid;

use super::{
    missed::Promise,
    posts::{PostEdit, post_status},
    promises::refuse_stale,
    schedule::SchedulePostRequest,
};
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{Answer, IdempotencyKey},
    kept::{Change, Resource, edit, resource},
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
        // A local day begins up to 14 hours before that of UTC, and ends up to 12 after it.
        let (from, to) = (midnight(request.from) - TimeDelta::days(1), midnight(request.to) + TimeDelta::days(2));
        let filter = CalendarFilter {
            from,
            to,
            days: (request.from, request.to),
            project_id: request.project_id,
            state: request.status.map(state_of),
            // One more than is shown tells that there are more.
            limit: MOST_ITEMS + 1,
        };
        let tenant = self.store.tenant(org);
        let mut calendar = Calendar::default();
        let dated = tenant.calendar(&filter).await?;
        let is_cut = dated.len() as u64 > MOST_ITEMS;
        let is_within = |item: &CalendarItem| item.date.is_some_and(|day| request.from <= day && day <= request.to);
        for row in dated.iter().take(MOST_ITEMS as usize) {
            // One that is without is there for another of its dates.
            calendar.items.extend(Some(item(row)?).filter(is_within));
        }
        if request.shelf {
            let filter = CalendarFilter { limit: MOST_ITEMS, ..filter };
            calendar.shelf = tenant.shelf(&filter).await?.iter().map(item).collect::<Result<_, _>>()?;
        }
        let mut is_short = false;
        if request.status.is_none() {
            let (recurring, is_cut) = self.recurring(org, request, from, to).await?;
            calendar.items.extend(recurring.into_iter().filter(is_within));
            is_short = is_cut;
        }
        calendar.items.sort_by_key(|item| (item.date, item.at));
        calendar.warnings = self.warnings(org, &calendar.items).await?;
        let told = [
            (
                is_cut,
                format!("there is more than the {MOST_ITEMS} that are shown; ask for fewer days, or for one project"),
            ),
            (is_short, "not all times of schedules are shown; ask for fewer days, or for one project".to_owned()),
        ];
        let cut = told.into_iter().filter(|(is_so, _)| *is_so).map(|(_, text)| (request.to, text));
        calendar.warnings.extend(cut);
        Ok(calendar)
    }

    /// Times of active schedules, and whether there are more.
    async fn recurring(
        &self,
        org: OrgId,
        request: &CalendarRequest,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<(Vec<CalendarItem>, bool), ServiceError> {
        let tenant = self.store.tenant(org);
        let active = ScheduleFilter {
            status: Some(ScheduleStatus::Active),
            project_id: request.project_id,
            limit: MOST_SCHEDULES,
            ..ScheduleFilter::default()
        };
        let now = tenant.now().await?;
        let mut items = Vec::new();
        let (schedules, total) = tenant.schedules(&active).await?;
        let mut is_cut = total > MOST_SCHEDULES;
        for schedule in schedules {
            let recurrence: Recurrence =
                serde_json::from_value(schedule.recurrence.clone()).map_err(StoreError::from)?;
            let mut times = recurrence.upcoming(from.max(now)).take_while(|time| time.at < to);
            items.extend(times.by_ref().take(MOST_TIMES).map(|time| CalendarItem {
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
            is_cut |= times.next().is_some();
        }
        Ok((items, is_cut))
    }

    /// Posts of one project that go out at nearly the same time, and those in its quiet hours.
    async fn warnings(&self, org: OrgId, items: &[CalendarItem]) -> Result<Vec<(NaiveDate, String)>, ServiceError> {
        let mut warnings = Vec::new();
        let mut last: BTreeMap<Option<Uuid>, &CalendarItem> = BTreeMap::new();
        let mut quiet: BTreeMap<Uuid, Option<(u32, u32)>> = BTreeMap::new();
        let mut scheduled: Vec<&CalendarItem> =
            items.iter().filter(|item| item.kind == CalendarKind::Scheduled).collect();
        scheduled.sort_by_key(|item| item.at);
        for item in scheduled {
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
        match to {
            CalendarMove::Hour(moment) => {
                let seen = Some(seen.to_vec());
                let request = SchedulePostRequest { seen, ..SchedulePostRequest::at(moment) };
                self.schedule_post(principal, id, request, trace_id, None).await?;
            }
            CalendarMove::Day(day) => self.plan(principal.org, id, day, seen).await?,
        }
        self.calendar_item(principal.org, id).await
    }

    async fn plan(
        &self,
        org: OrgId,
        id: Uuid,
        day: Option<NaiveDate>,
        seen: &[DateTime<Utc>],
    ) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        let mut article = tx.lock_article(id).await?.ok_or(ServiceError::NotFound(Missing::Article))?;
        refuse_trashed(&tx, article.project_id).await?;
        refuse_stale(&article, Some(seen))?;
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
            rewrite_task_id: article.rewrite_task_id,
            publish_error: article.publish_error,
            updated_at: article.updated_at,
        })
    }

    /// What a feed shows to whoever has its token.
    pub async fn calendar_feed(&self, token: &str) -> Result<Vec<CalendarItem>, ServiceError> {
        self.system().feed(token).await
    }

    pub async fn create_calendar_feed(
        &self,
        org: OrgId,
        mut edit: FeedEdit,
        key: Option<&IdempotencyKey>,
    ) -> Result<Answer<IssuedFeed>, ServiceError> {
        let token = random_secret(FEED_PREFIX);
        edit.hash = Some(hash_key(&token));
        let Answer { value: row, replayed } = self.create(org, edit, key).await?;
        Ok(Answer { value: IssuedFeed { row, token: (!replayed).then_some(token) }, replayed })
    }
}

edit! {
    /// A feed to make.
    pub struct FeedEdit of rows::CalendarFeed {
        name: String,
        project_id: Uuid,
        /// Of the token.
        hash: Vec<u8>,
    }
}

impl Resource for rows::CalendarFeed {
    resource!(Feed, at most 50 "calendar feeds");
    type Edit = FeedEdit;

    async fn apply(at: &Change<'_>, edit: FeedEdit, row: &mut Self) -> Result<(), ServiceError> {
        if let Some(project) = edit.project_id
            && !at.tx.has_project(project).await?
        {
            let message = format!("there is no project {project}, or it is in the trash");
            return Err(ServiceError::field("project_id", message));
        }
        edit.write(row);
        Ok(())
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

/// The articles that posts show as this.
fn state_of(wanted: PostStatus) -> PostState {
    let of = |is_wanted: &dyn Fn(ArticleStatus) -> bool| {
        let found = ArticleStatus::ALL.iter().filter(|status| is_wanted(**status));
        found.map(|status| status.as_str().to_owned()).collect()
    };
    PostState {
        statuses: of(&|status| status.of_post() == wanted),
        is_rewritten: wanted == PostStatus::Generating,
        has_failed: wanted == PostStatus::Failed,
        may_fail: of(&|status| matches!(status.of_post(), PostStatus::Draft | PostStatus::Ready)),
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
        status: Some(post_status(&row.status, row.rewrite_task_id.is_some(), row.publish_error.is_some())?),
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
