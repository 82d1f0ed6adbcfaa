//! Questions about connections, posts and publications, and the rows that they are about.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use galley_domain::{
    article::ArticleStatus,
    project::Platform,
    publishing::{PublicationState, Visibility},
};
use galley_store::{
    CalendarFilter, ConnectionFilter, DeploymentFilter, ImportedArticle, Kept, NewPublication, NewSiteEvent,
    PublicationFilter, StoreError, TenantTx, rows,
};
use serde_json::json;
use uuid::Uuid;

use super::{Theirs, questions::done};

const SITE: &str = "https://theirs.example";

/// What another tenant publishes with.
pub(super) struct TheirPublishing {
    pub(super) connection: rows::Connection,
    pub(super) template: rows::BlogTemplate,
    pub(super) publication: rows::Publication,
    pub(super) feed: rows::CalendarFeed,
    pub(super) deployment: rows::Deployment,
}

pub(super) async fn theirs(tx: &TenantTx, project: Uuid, article: Uuid) -> TheirPublishing {
    let connection = tx.add(rows::Connection { project_id: Some(project), ..new_connection() }).await.unwrap();
    let template = tx.add(rows::BlogTemplate { is_default: true, ..new_template() }).await.unwrap();
    let publication = tx.insert_publication(new_publication(article, Some(connection.id))).await.unwrap();
    let feed = tx.add(new_feed()).await.unwrap();
    let deployment = tx.insert_deployment(project, Uuid::new_v4(), json!({})).await.unwrap();
    tx.insert_site_event(new_site_event(connection.id)).await.unwrap();
    TheirPublishing { connection, template, publication, feed, deployment }
}

fn new_site_event(connection: Uuid) -> NewSiteEvent {
    NewSiteEvent {
        connection_id: connection,
        event_type: "webhook",
        action: "status".into(),
        success: true,
        message: String::new(),
        article_id: None,
    }
}

fn imported(project: Uuid, connection: Uuid) -> ImportedArticle {
    ImportedArticle {
        id: Uuid::new_v4(),
        project_id: project,
        title: "Theirs".into(),
        slug: Uuid::new_v4().to_string(),
        language: "en".into(),
        status: ArticleStatus::Draft,
        source: "wordpress",
        excerpt: None,
        categories: Vec::new(),
        tags: Vec::new(),
        featured_url: None,
        connection_id: connection,
        external_id: "7".into(),
        external_url: None,
        published_at: None,
    }
}

fn new_connection() -> rows::Connection {
    rows::Connection {
        id: Uuid::new_v4(),
        name: "Blog".into(),
        site_url: SITE.into(),
        username: Uuid::new_v4().to_string(),
        config: json!({}),
        metadata: json!({}),
        ..rows::Connection::default()
    }
}

fn new_feed() -> rows::CalendarFeed {
    let hash = Uuid::new_v4().into_bytes().to_vec();
    rows::CalendarFeed { id: Uuid::new_v4(), name: "Desk".into(), hash, ..rows::CalendarFeed::default() }
}

fn new_template() -> rows::BlogTemplate {
    let structure = json!({});
    rows::BlogTemplate { id: Uuid::new_v4(), name: "Plain".into(), structure, ..rows::BlogTemplate::default() }
}

fn new_publication(article: Uuid, connection: Option<Uuid>) -> NewPublication {
    NewPublication {
        id: Uuid::new_v4(),
        article_id: article,
        connection_id: connection,
        destination: "wordpress",
        deployment_id: None,
        task_id: None,
        visibility: Visibility::Publish,
        status: PublicationState::Pending,
        force: false,
        due_at: None,
        external_id: Some("7".into()),
        external_url: None,
        error: None,
        published_at: None,
        metadata: json!({ "wordpress_status": "private" }),
    }
}

fn whole_calendar() -> CalendarFilter {
    let now = Utc::now();
    CalendarFilter {
        from: DateTime::UNIX_EPOCH,
        to: now + TimeDelta::days(400),
        days: (NaiveDate::MIN.max(NaiveDate::from_ymd_opt(1970, 1, 1).unwrap()), now.date_naive()),
        project_id: None,
        state: None,
        limit: 1000,
    }
}

/// Whether something is true of a row of any kind that is kept by name.
macro_rules! of_any {
    ($theirs:ident, |$row:ident| $asked:expr) => {{
        let TheirPublishing { connection, template, feed, .. } = &$theirs.publishing;
        let mut seen = false;
        seen |= {
            let $row = connection;
            $asked
        };
        seen |= {
            let $row = template;
            $asked
        };
        seen |= {
            let $row = feed;
            $asked
        };
        seen | {
            let $row = &$theirs.photo_key;
            $asked
        }
    }};
}

fn found<R>(_like: &R, row: Option<R>) -> bool {
    row.is_some()
}

async fn counted<R: Kept>(tx: &TenantTx, _like: &R) -> Result<usize, StoreError> {
    Ok(tx.how_many::<R>().await? as usize)
}

async fn of_own<R: Kept>(tx: &TenantTx, _like: &R) -> Result<usize, StoreError> {
    Ok(tx.all::<R>().await?.len())
}

async fn changed<R: Kept + Clone>(tx: &TenantTx, row: &R) -> Result<bool, StoreError> {
    match tx.put(row.clone()).await {
        Err(StoreError::Unreadable(_)) => Ok(false),
        other => other.map(|_| true),
    }
}

async fn removed<R: Kept>(tx: &TenantTx, _like: &R, id: Uuid) -> Result<bool, StoreError> {
    tx.remove::<R>(id).await
}

pub(super) async fn ask(name: &str, tx: &TenantTx, theirs: &Theirs) -> Option<Result<bool, StoreError>> {
    let (article, project) = (theirs.article.id, theirs.project.id);
    let TheirPublishing { connection, template, publication, deployment, .. } = &theirs.publishing;
    let deployments = DeploymentFilter { limit: 1000, ..DeploymentFilter::default() };
    let integrations = ConnectionFilter { limit: 1000, ..ConnectionFilter::default() };
    let publications = PublicationFilter { limit: 1000, ..PublicationFilter::default() };
    let asked = async {
        Ok(Some(match name {
            "one" => of_any!(theirs, |row| found(row, tx.one(row.id).await?)),
            "all" => of_any!(theirs, |row| tx.all().await?.contains(row)),
            "how_many" => of_any!(theirs, |row| counted(tx, row).await? != of_own(tx, row).await?),
            "hold" => of_any!(theirs, |row| found(row, tx.hold(row.id).await?)),
            "add" => done(tx.add(new_template()).await)?,
            "put" => of_any!(theirs, |row| changed(tx, row).await?),
            "remove" => of_any!(theirs, |row| removed(tx, row, row.id).await?),
            "integrations" => tx.integrations(&integrations).await?.0.iter().any(|row| row.id == connection.id),
            "connection_of" => tx.connection_of(Platform::Wordpress, SITE, &connection.username).await?.is_some(),
            "connection_is_promised" => tx.connection_is_promised(connection.id).await?,
            "active_integrations" => !tx.active_integrations(project).await?.is_empty(),
            "deployments" => tx.deployments(&deployments).await?.0.iter().any(|row| row.id == deployment.id),
            "deployments_of" => !tx.deployments_of(deployment.publish_id).await?.is_empty(),
            "deployment" => tx.deployment(deployment.id).await?.is_some(),
            "insert_deployment" => tx.insert_deployment(project, Uuid::new_v4(), json!({})).await.map(|_| true)?,
            "site_events" => !tx.site_events(connection.id, 100).await?.is_empty(),
            "insert_site_event" => tx.insert_site_event(new_site_event(connection.id)).await.map(|()| true)?,
            "placed_there" => tx.placed_there(connection.id, "7").await?.is_some(),
            "site_counts" => tx.site_counts(connection.id).await?.pending > 0,
            "mismatches" => !tx.mismatches(connection.id, 100).await?.is_empty(),
            "texts_to_push" => !tx.texts_to_push(project, connection.id, Uuid::nil(), 100).await?.is_empty(),
            "is_to_push" => tx.is_to_push(project, connection.id, article).await?,
            "beside" => !tx.beside(article).await?.is_null(),
            "is_hidden" => tx.is_hidden(article).await?,
            "published_texts" => !tx.published_texts(project, 100, 1 << 20).await?.is_empty(),
            "published_mark" => tx.published_mark(project).await?.0 > 0,
            "projects_of" => !tx.projects_of(vec![article]).await?.is_empty(),
            "insert_imported" => tx.insert_imported(imported(project, connection.id)).await.map(|_| true)?,
            "secret_names" => !tx.secret_names("model_key", vec!["default".into()]).await?.is_empty(),
            "project_with_default_connection" => tx.project_with_default_connection(connection.id).await?.is_some(),
            "has_placements" => tx.has_placements(connection.id).await?,
            "forget_placements" => done(tx.forget_placements(connection.id).await)?,
            "touch_connection" => done(tx.touch_connection(connection.id).await)?,
            "default_blog_template" => tx.default_blog_template().await?.is_some_and(|row| row.id == template.id),
            "clear_default_blog_template" => done(tx.clear_default_blog_template().await)?,
            "publication" => tx.publication(publication.id).await?.is_some(),
            "publications" => tx.publications(&publications).await?.0.iter().any(|row| row.id == publication.id),
            "placed" => tx.placed(article, connection.id).await?.is_some(),
            "lock_publication" => tx.lock_publication(publication.id).await?.is_some(),
            "insert_publication" => tx.insert_publication(new_publication(article, None)).await.map(|_| true)?,
            "save_publication" => tx.save_publication(publication.clone()).await.map(|_| true)?,
            "delete_publication" => tx.delete_publication(publication.id).await?,
            "forget_sent" => done(tx.forget_sent(article, connection.id, Uuid::nil()).await)?,
            "posts" => !tx.posts(project, None).await?.is_empty(),
            "post" => tx.post(project, article).await?.is_some(),
            "post_counts" => tx.post_counts(project).await?.total > 0,
            "article_ids" => !tx.article_ids(project).await?.is_empty(),
            "placements" => !tx.placements(article).await?.is_empty(),
            "shelf" => tx.shelf(&whole_calendar()).await?.iter().any(|row| row.id == article),
            "calendar" => tx.calendar(&whole_calendar()).await?.iter().any(|row| row.id == article),
            "oldest_approved" => tx.oldest_approved(project).await?.is_some(),
            "save_article" => tx.save_article(theirs.article.clone()).await.map(|_| true)?,
            _ => return Ok(None),
        }))
    };
    asked.await.transpose()
}
