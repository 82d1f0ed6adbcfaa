//! What schedules are made of and changed with.

use galley_domain::order::{ArticleOrder, FieldError, Violations};
use galley_recurrence::{Missed, MissedPolicy};
use galley_services::{MissedEdit, ScheduleAction, ScheduleEdit, ScheduleRequest, Work};
use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use serde_json::{Value, json};
use uuid::Uuid;

use super::times::{NewTimes, Times};
use crate::http::{
    articles::generate::GenerateArticle,
    kit::{
        auth::{Auth, Class, Right},
        body::Draft,
        fields::{self, Errors, Field, Input, Patch, Place, fields},
        problem::Problem,
        scalar::{Nullable, Word, words},
        values::{Integer, Text},
    },
    tasks::{
        CreateTask,
        sources::{OrderForm, with_references},
    },
};

words! {
    /// What a schedule is as long as it does not end.
    pub enum Activity { Active = "active", Paused = "paused" }
}

words! {
    /// What a schedule does.
    pub enum ActionType { Order = "order", Publish = "publish" }
}

words! {
    /// What a schedule publishes.
    pub enum Take { OldestApproved = "oldest_approved" }
}

words! {
    /// What becomes of missed times.
    pub enum Policy { Late = "late", Skip = "skip", Ask = "ask" }
}

type Name = Text<1, 200>;
type PerDay = Integer<1, 1440>;

fields! {
    /// What becomes of times that nobody looked at in time. Of many missed times in a row it is about the newest.
    pub struct ScheduleMissedInput {
        /// late: it runs late, if it is not too old. skip: none runs. ask: you decide about its run.
        policy: Word<Policy> = Word(Policy::Late),
        /// How old it may be to run late, in hours.
        within_hours: Integer<1, 8760> = Integer(24),
    }
}

fields! {
    /// Changes to what becomes of missed times; what is left out stays.
    pub struct ScheduleMissedChange: needs_a_field {
        /// late: the newest runs late, if it is not too old. skip: none runs. ask: you decide about the run of the newest.
        policy: Patch<Word<Policy>>,
        /// How old it may be to run late, in hours.
        within_hours: Patch<Integer<1, 8760>>,
    }
}

impl From<Policy> for MissedPolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Late => Self::Late,
            Policy::Skip => Self::Skip,
            Policy::Ask => Self::Ask,
        }
    }
}

impl From<ScheduleMissedInput> for Missed {
    fn from(missed: ScheduleMissedInput) -> Self {
        let within_hours = u16::try_from(missed.within_hours.0).unwrap_or(24);
        Self { policy: missed.policy.0.into(), within_hours }
    }
}

impl From<ScheduleMissedChange> for MissedEdit {
    fn from(missed: ScheduleMissedChange) -> Self {
        Self {
            policy: missed.policy.0.map(|policy| policy.0.into()),
            within_hours: missed.within_hours.0.and_then(|hours| u16::try_from(hours.0).ok()),
        }
    }
}

fields! {
    /// What a schedule does when it comes due.
    pub struct ScheduleActionInput {
        kind as "type": Word<ActionType>,
        /// Required to order: the body of `POST /api/v1/tasks` (with `user_prompt`) or of `POST /api/v1/articles/generate` (with
        /// `topic`).
        order: Patch<OrderInput>,
        /// A project to put the articles in; required to publish: the one whose articles go out.
        project_id: Option<Uuid>,
        /// What goes out: the article that was approved and waits longest.
        take: Option<Word<Take>>,
        /// Where it goes out: by default the project's connection, else the one that was used last.
        connection_id: Option<Uuid>,
    }
    check |action: &ScheduleActionInput, wrong: &mut Violations| {
        let publishes = action.kind.0 == ActionType::Publish;
        wrong.check(!publishes && action.order.0.is_none(), "order", "is required");
        wrong.check(publishes && action.order.0.is_some(), "order", "goes with the type order");
        wrong.check(publishes && action.project_id.is_none(), "project_id", "is required to publish");
        let alone = "goes with the type publish";
        wrong.check(!publishes && action.take.is_some(), "take", alone);
        wrong.check(!publishes && action.connection_id.is_some(), "connection_id", alone);
        let differs = |project| action.project_id.is_some_and(|outer| outer != project);
        let message = "is another one than order.project_id; give it once";
        let inner = action.order.0.as_ref().and_then(|order| order.order.project_id);
        wrong.check(inner.is_some_and(differs), "project_id", message);
    };
}

impl From<ScheduleActionInput> for ScheduleAction {
    fn from(action: ScheduleActionInput) -> Self {
        let Some(OrderInput { given, mut order }) = action.order.0 else {
            let project_id = action.project_id.unwrap_or_default();
            let connection_id = action.connection_id;
            let given = json!({
                "type": "publish", "project_id": project_id, "take": "oldest_approved", "connection_id": connection_id,
            });
            return Self { given, work: Work::Publish { project_id, connection_id } };
        };
        let mut given = json!({ "type": "order", "order": given });
        if let Some(project) = action.project_id {
            given["project_id"] = json!(project);
            order.project_id = Some(project);
        }
        Self { given, work: Work::Order { order } }
    }
}

/// The body of one of the two ways of ordering, read as it is read there.
#[derive(Debug)]
pub struct OrderInput {
    given: Value,
    order: ArticleOrder,
}

impl Field for OrderInput {
    fn schema() -> MetaSchemaRef {
        MetaSchemaRef::Reference("ScheduleOrder".to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>("ScheduleOrder".to_owned(), |registry| {
            fields::register::<CreateTask>(registry);
            fields::register::<GenerateArticle>(registry);
            MetaSchema {
                description: Some("An order in one of its two forms: with `user_prompt`, or with `topic`."),
                one_of: vec![<CreateTask as Field>::schema(), <GenerateArticle as Field>::schema()],
                ..MetaSchema::ANY
            }
        });
    }

    fn read(input: Input<'_>, place: &Place<'_>, errors: &mut Errors) -> Option<Self> {
        let Input::Json(given @ Value::Object(map)) = input else {
            errors.add(place, input.unlike("an object"));
            return None;
        };
        if map.contains_key("topic") && map.contains_key("user_prompt") {
            errors.add(&Place::Member(place, "topic"), "is given together with user_prompt; give one of the two");
        }
        let order = if map.contains_key("topic") {
            // Of two ways of ordering it is told once; the rest is checked all the same.
            let mut one = map.clone();
            one.remove("user_prompt");
            let one = Value::Object(one);
            <GenerateArticle as Field>::read(Input::Json(&one), place, errors)?.into_order()
        } else {
            <CreateTask as Field>::read(input, place, errors)?.into_order()
        };
        let say = |wrong: Vec<FieldError>| {
            wrong.into_iter().for_each(|error| errors.add(&Place::Member(place, &error.field), error.message));
        };
        order.map_err(say).ok().map(|order| Self { given: given.clone(), order })
    }
}

fields! {
    /// A schedule to make.
    pub struct CreateSchedule {
        /// 1 to 200 characters.
        name: Name,
        times: Times,
        action: ScheduleActionInput,
        missed: Option<ScheduleMissedInput>,
        /// The most runs on one day of the zone; as many as come when not given.
        max_per_day: Option<PerDay>,
        status: Word<Activity> = Word(Activity::Active),
    }
}

impl From<CreateSchedule> for ScheduleRequest {
    fn from(body: CreateSchedule) -> Self {
        Self {
            name: body.name.0,
            recurrence: body.times.0,
            action: body.action.into(),
            missed: body.missed.map(Into::into).unwrap_or_default(),
            max_per_day: body.max_per_day.and_then(per_day),
            paused: body.status.0 == Activity::Paused,
        }
    }
}

fields! {
    /// Changes to a schedule.
    pub struct UpdateSchedule: needs_a_field {
        /// 1 to 200 characters.
        name: Patch<Name>,
        times: NewTimes,
        action: Patch<ScheduleActionInput>,
        missed: Patch<ScheduleMissedChange>,
        /// The most runs on one day of the zone; null for as many as come.
        max_per_day: Patch<Nullable<PerDay>>,
        /// Pauses or resumes it.
        status: Patch<Word<Activity>>,
    }
}

impl From<UpdateSchedule> for ScheduleEdit {
    fn from(body: UpdateSchedule) -> Self {
        Self {
            name: body.name.0.map(|name| name.0),
            times: body.times.0,
            action: body.action.0.map(Into::into),
            missed: body.missed.0.map(Into::into).unwrap_or_default(),
            max_per_day: body.max_per_day.0.map(|max| max.0.and_then(per_day)),
            paused: body.status.0.map(|status| status.0 == Activity::Paused),
        }
    }
}

/// What was read, or all that is wrong with it: also with what the order of its action refers to.
pub async fn checked<T, R: Right, C: Class>(auth: &Auth<R, C>, body: Draft<T>) -> Result<T, Problem> {
    let mut wrong = match body.read {
        Ok(value) => return Ok(value),
        Err(wrong) => wrong,
    };
    let action = &body.given["action"];
    let mut order = action["order"].clone();
    if order.is_object() {
        let outside = order["project_id"].is_null() && !action["project_id"].is_null();
        if outside {
            order["project_id"] = action["project_id"].clone();
        }
        for FieldError { field, message } in with_references(auth, &order, Vec::new()).await? {
            let within = if outside && field == "project_id" { "action" } else { "action.order" };
            let field = format!("{within}.{field}");
            if !wrong.iter().any(|known| known.field == field) {
                wrong.push(FieldError { field, message });
            }
        }
    }
    Err(Problem::invalid(wrong))
}

fn per_day(max: PerDay) -> Option<i32> {
    i32::try_from(max.0).ok()
}
