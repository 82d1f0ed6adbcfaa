//! Publishing many texts at once: one call, a deployment for each project, a publication for each text and destination.

use std::collections::BTreeMap;

use galley_domain::{
    OrgId, Principal,
    order::FieldError,
    publishing::{PublicationState, Visibility},
};
use galley_recurrence::MomentRequest;
use galley_store::{DeploymentFilter, DeploymentView, NewPublication, PublicationFilter, TenantTx, rows};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    connections::is_blog, integrations::unknown, publish::PublishRequest, records::PublishingRecord,
    schedule::SchedulePostRequest,
};
use crate::{
    Services,
    error::{Missing, ServiceError},
    idempotency::{IdempotencyKey, once},
    projects::refuse_trashed,
};

/// The most texts of one call.
pub const MAX_TEXTS: usize = 50;
/// Publications that one call is looked up with: each text once for each destination.
const MAX_RECORDS: u64 = 1000;

/// Texts to publish.
#[derive(Debug, Clone)]
pub struct DeployRequest {
    /// With the name of the field that each came in.
    pub contents: Vec<(String, Uuid)>,
    /// Kinds of places; `None`: all active integrations of the site.
    pub destinations: Option<Vec<String>>,
    pub scheduled_at: Option<String>,
}

/// What came of a call.
#[derive(Debug, Clone)]
pub struct Deployed {
    pub publish_id: Uuid,
    pub records: Vec<PublishingRecord>,
    pub replayed: bool,
}

impl Deployed {
    /// What the records come to: pending, publishing, published, partial or failed.
    pub fn status(&self) -> &'static str {
        let count = |state| self.records.iter().filter(|record| *record.row.status == state).count();
        let all = self.records.len();
        let (failed, pending) = (count(PublicationState::Failed), count(PublicationState::Pending));
        match count(PublicationState::Publishing) + pending {
            0 if all > 0 && count(PublicationState::Retracted) == all => "retracted",
            0 if failed == all => "failed",
            0 if failed > 0 => "partial",
            0 => "published",
            _ if pending == all => "pending",
            _ => "publishing",
        }
    }
}

/// A text that goes to a place, within a deployment. What a repeated call goes on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Planned {
    field: String,
    article: Uuid,
    /// None: there is no place for it, and the record says so.
    connection: Option<Uuid>,
    deployment: Uuid,
}

#[derive(Debug, Serialize, Deserialize)]
struct Plan {
    publish_id: Uuid,
    texts: Vec<Planned>,
}

impl Services {
    /// One page, newest first, with the number of all.
    pub async fn deployments(
        &self,
        org: OrgId,
        filter: &DeploymentFilter,
    ) -> Result<(Vec<DeploymentView>, u64), ServiceError> {
        Ok(self.store.tenant(org).deployments(filter).await?)
    }

    /// Orders that each text goes to each place. One that cannot go leaves a record that says why; when none can, that is a
    /// conflict. A call that was cut off goes on where it was when it is repeated with its key.
    pub async fn deploy(
        &self,
        principal: &Principal,
        request: DeployRequest,
        trace_id: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Deployed, ServiceError> {
        let org = principal.org;
        let tx = self.store.begin(org).await?;
        let asked = &request;
        let plan = once(tx, key, |tx| async move {
            if let Some(at) = &asked.scheduled_at {
                // Of a repeated call the hour may have passed.
                moment(at).check(tx.now().await?).map_err(|error| ServiceError::Validation(vec![error]))?;
            }
            let plan = planned(&tx, asked).await?;
            Ok((tx, plan))
        })
        .await?;
        let Plan { publish_id, texts } = plan.value;
        for text in &texts {
            self.deploy_one(principal, publish_id, text, request.scheduled_at.as_deref(), trace_id).await?;
        }
        let deployed = Deployed { replayed: plan.replayed, ..self.deployed(org, publish_id).await? };
        match deployed.records.iter().all(|record| refused_at_once(&record.row)) {
            true => Err(all_refused(&texts, &deployed.records)),
            false => Ok(deployed),
        }
    }

    async fn deploy_one(
        &self,
        principal: &Principal,
        publish_id: Uuid,
        text: &Planned,
        at: Option<&str>,
        trace_id: &str,
    ) -> Result<(), ServiceError> {
        let name = format!("{publish_id}/{}/{}", text.article, text.connection.unwrap_or_default());
        let key = IdempotencyKey::new(&name, "deploy", b"")?;
        if text.connection.is_none() {
            return self.note_refusal(principal.org, text, NO_PLACE.into(), &key).await;
        }
        let (connection_id, deployment_id) = (text.connection, Some(text.deployment));
        let ordered = match at {
            None => {
                let request = PublishRequest { connection_id, deployment_id, ..PublishRequest::default() };
                // What somebody has changed there is looked for by the step: a site that is slow holds up no call.
                self.order_publication(principal, text.article, request, None, trace_id, Some(&key)).await
            }
            Some(at) => {
                let request =
                    SchedulePostRequest { connection_id, deployment_id, ..SchedulePostRequest::at(moment(at)) };
                self.schedule_post(principal, text.article, request, trace_id, Some(&key)).await
            }
        };
        match ordered {
            Ok(_) => Ok(()),
            Err(ServiceError::Conflict(why)) => self.note_refusal(principal.org, text, why, &key).await,
            Err(ServiceError::Refused(why, reasons)) => {
                let reasons: Vec<String> = reasons.into_iter().map(|reason| reason.message).collect();
                self.note_refusal(principal.org, text, format!("{why}: {}", reasons.join("; ")), &key).await
            }
            Err(ServiceError::Validation(errors)) => {
                let errors: Vec<String> =
                    errors.into_iter().map(|error| format!("{}: {}", error.field, error.message)).collect();
                self.note_refusal(principal.org, text, errors.join("; "), &key).await
            }
            Err(error) => Err(error),
        }
    }

    /// The record of a text that does not go out, once.
    async fn note_refusal(
        &self,
        org: OrgId,
        text: &Planned,
        why: String,
        key: &IdempotencyKey,
    ) -> Result<(), ServiceError> {
        let tx = self.store.begin(org).await?;
        let new = NewPublication {
            id: Uuid::now_v7(),
            article_id: text.article,
            connection_id: text.connection,
            destination: "wordpress",
            deployment_id: Some(text.deployment),
            task_id: None,
            visibility: Visibility::Publish,
            status: PublicationState::Failed,
            force: false,
            due_at: None,
            external_id: None,
            external_url: None,
            error: Some(why),
            published_at: None,
            metadata: json!({ "refused": true }),
        };
        let refusal = IdempotencyKey { key: format!("{}/refused", key.key), ..key.clone() };
        once(tx, Some(&refusal), |tx| async move {
            let row = tx.insert_publication(new).await?;
            Ok((tx, row.id))
        })
        .await?;
        Ok(())
    }

    /// How a call to publish has come along.
    pub async fn deployed(&self, org: OrgId, publish: Uuid) -> Result<Deployed, ServiceError> {
        let tenant = self.store.tenant(org);
        let deployments = tenant.deployments_of(publish).await?;
        if deployments.is_empty() {
            return Err(ServiceError::NotFound(Missing::Deployment));
        }
        let mut rows = Vec::new();
        for deployment in deployments {
            let deployment_id = Some(deployment.id);
            let filter = PublicationFilter { deployment_id, limit: MAX_RECORDS, ..PublicationFilter::default() };
            let mut found = tenant.publications(&filter).await?.0;
            found.reverse();
            rows.extend(found);
        }
        Ok(Deployed { publish_id: publish, records: self.with_projects(org, rows).await?, replayed: false })
    }

    /// The newest call that a text was published with.
    pub async fn deployed_content(&self, org: OrgId, content: Uuid) -> Result<Deployed, ServiceError> {
        let tenant = self.store.tenant(org);
        tenant.article(content).await?.ok_or(ServiceError::NotFound(Missing::Content))?;
        let filter =
            PublicationFilter { article_id: Some(content), limit: MAX_RECORDS, ..PublicationFilter::default() };
        let newest = tenant.publications(&filter).await?.0.into_iter().find_map(|row| row.deployment_id);
        let deployment = match newest {
            Some(id) => tenant.deployment(id).await?,
            None => None,
        };
        self.deployed(org, deployment.ok_or(ServiceError::NotFound(Missing::Deployment))?.publish_id).await
    }
}

const NO_PLACE: &str = "its site has no active integration of this kind with a username; make one with POST \
                        /api/v1/integration";

fn moment(at: &str) -> MomentRequest {
    MomentRequest { at: at.to_owned(), timezone: None }
}

fn refused_at_once(row: &rows::Publication) -> bool {
    row.metadata["refused"] == json!(true)
}

/// Which text goes where, and the deployments that this makes.
async fn planned(tx: &TenantTx, request: &DeployRequest) -> Result<Plan, ServiceError> {
    let publish_id = Uuid::now_v7();
    let by_project = contents_by_project(tx, &request.contents).await?;
    let mut texts = Vec::new();
    for (project, contents) in by_project {
        refuse_trashed(tx, Some(project)).await?;
        let targets = targets(tx, project, request.destinations.as_deref()).await?;
        tx.hold_slug(&format!("deployments/{project}")).await?;
        let metadata = json!({ "publish_id": publish_id, "scheduled_at": request.scheduled_at });
        let deployment = tx.insert_deployment(project, publish_id, metadata).await?.id;
        for (field, article) in contents {
            let to = |connection: Option<Uuid>| Planned { field: field.clone(), article, connection, deployment };
            match targets.is_empty() {
                true => texts.push(to(None)),
                false => texts.extend(targets.iter().map(|target| to(Some(*target)))),
            }
        }
    }
    if texts.iter().all(|text| text.connection.is_none()) {
        return Err(ServiceError::Conflict(format!("there is no destination: {NO_PLACE}")));
    }
    Ok(Plan { publish_id, texts })
}

async fn contents_by_project(
    tx: &TenantTx,
    contents: &[(String, Uuid)],
) -> Result<BTreeMap<Uuid, Vec<(String, Uuid)>>, ServiceError> {
    let mut found = BTreeMap::<Uuid, Vec<(String, Uuid)>>::new();
    for (field, id) in contents {
        let article = tx.article(*id).await?.ok_or_else(|| unknown(field, Missing::Content))?;
        let Some(project) = article.project_id else {
            return Err(ServiceError::field(field, "belongs to no site, so it has no destination"));
        };
        let of_project = found.entry(project).or_default();
        if !of_project.iter().any(|(_, known)| known == id) {
            of_project.push((field.clone(), *id));
        }
    }
    Ok(found)
}

/// The connections of a project that can be published through.
async fn targets(tx: &TenantTx, project: Uuid, kinds: Option<&[String]>) -> Result<Vec<Uuid>, ServiceError> {
    let active = tx.active_integrations(project).await?;
    let is_wanted = |row: &rows::Connection| {
        let kind = row.platform.as_str();
        is_blog(row) && kinds.is_none_or(|kinds| kinds.iter().any(|wanted| wanted == kind))
    };
    Ok(active.into_iter().filter(is_wanted).map(|row| row.id).collect())
}

fn all_refused(texts: &[Planned], records: &[PublishingRecord]) -> ServiceError {
    let field_of = |article: Uuid| {
        texts.iter().find(|text| text.article == article).map_or("content_id", |text| text.field.as_str()).to_owned()
    };
    let error = |record: &PublishingRecord| FieldError {
        field: field_of(record.row.article_id),
        message: record.row.error_message.clone().unwrap_or_default(),
    };
    let text = "none of the contents can be published; errors say why, and their records are failed";
    ServiceError::Refused(text.into(), records.iter().map(error).collect())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use galley_store::TextEnum;

    use super::*;

    #[test]
    fn what_records_come_to() {
        use PublicationState::{Failed, Pending, Published, Publishing};
        let record = |state: PublicationState| {
            let row = rows::Publication {
                id: Uuid::nil(),
                org_id: Uuid::nil(),
                article_id: Uuid::nil(),
                connection_id: None,
                destination: "wordpress".into(),
                deployment_id: None,
                task_id: None,
                visibility: TextEnum(Visibility::Publish),
                status: TextEnum(state),
                force: false,
                due_at: None,
                version: None,
                external_id: None,
                external_url: None,
                sent: None,
                error_code: None,
                error_message: None,
                published_at: None,
                metadata: json!({}),
                created_at: DateTime::UNIX_EPOCH,
                updated_at: DateTime::UNIX_EPOCH,
            };
            PublishingRecord { row, project_id: None }
        };
        let status = |states: &[PublicationState]| {
            let records = states.iter().copied().map(record).collect();
            Deployed { publish_id: Uuid::nil(), records, replayed: false }.status()
        };
        assert_eq!(status(&[Pending, Pending]), "pending");
        assert_eq!(status(&[Pending, Published]), "publishing");
        assert_eq!(status(&[Publishing, Failed]), "publishing");
        assert_eq!(status(&[Published, Published]), "published");
        assert_eq!(status(&[Published, Failed]), "partial");
        assert_eq!(status(&[Failed]), "failed");
    }
}
