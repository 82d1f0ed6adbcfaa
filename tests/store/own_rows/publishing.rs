//! Questions about connections, posts and publications, and the rows that they are about.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use galley_domain::{
    article::ArticleStatus,
    project::Platform,
    publishing::{PublicationState, Visibility},
};
use galley_store::{
    CalendarFilter, ConnectionFilter, DeploymentFilter, ImportedArticle, NewConnection, NewFeed, NewPublication,
    NewSiteEvent, NewTemplate, PublicationFilter, StoreError, TenantTx, rows,
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
    pub(super) feed: Uuid,
    pub(super) deployment: rows::Deployment,
}

pub(super) async fn theirs(tx: &TenantTx, project: Uuid, article: Uuid) -> TheirPublishing {
    let connection = NewConnection { project_id: Some(project), ..new_connection() };
    let connection = tx.insert_connection(connection).await.unwrap();
    let template = NewTemplate { is_default: true, ..new_template() };
    let template = tx.insert_blog_template(template).await.unwrap();
    let publication = tx.insert_publication(new_publication(article, Some(connection.id))).await.unwrap();
    let feed = tx.insert_calendar_feed(new_feed()).await.unwrap().id;
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

fn new_connection() -> NewConnection {
    NewConnection {
        id: Uuid::new_v4(),
        project_id: None,
        platform: Platform::Wordpress,
        name: "Blog".into(),
        site_url: SITE.into(),
        username: Uuid::new_v4().to_string(),
    }
}

fn new_feed() -> NewFeed {
    NewFeed { id: Uuid::new_v4(), name: "Desk".into(), project_id: None, hash: Uuid::new_v4().into_bytes().to_vec() }
}

fn new_template() -> NewTemplate {
    NewTemplate {
        name: "Plain".into(),
        description: String::new(),
        tone: None,
        structure: json!({}),
        custom_instructions: String::new(),
        is_default: false,
    }
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
        metadata: json!({}),
    }
}

fn whole_calendar() -> CalendarFilter {
    let now = Utc::now();
    CalendarFilter {
        from: DateTime::UNIX_EPOCH,
        to: now + TimeDelta::days(400),
        days: (NaiveDate::MIN.max(NaiveDate::from_ymd_opt(1970, 1, 1).unwrap()), now.date_naive()),
        project_id: None,
        statuses: Vec::new(),
        shelf: true,
        limit: 1000,
    }
}

pub(super) async fn ask(name: &str, tx: &TenantTx, theirs: &Theirs) -> Option<Result<bool, StoreError>> {
    let (article, project) = (theirs.article.id, theirs.project.id);
    let TheirPublishing { connection, template, publication, deployment, .. } = &theirs.publishing;
    let deployments = DeploymentFilter { limit: 1000, ..DeploymentFilter::default() };
    let integrations = ConnectionFilter { limit: 1000, ..ConnectionFilter::default() };
    let publications = PublicationFilter { limit: 1000, ..PublicationFilter::default() };
    let asked = async {
        Ok(Some(match name {
            "connection" => tx.connection(connection.id).await?.is_some(),
            "blog_connections" => tx.blog_connections().await?.iter().any(|row| row.id == connection.id),
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
            "published_texts" => !tx.published_texts(project, 100).await?.is_empty(),
            "published_mark" => tx.published_mark(project).await?.0 > 0,
            "projects_of" => !tx.projects_of(vec![article]).await?.is_empty(),
            "insert_imported" => tx.insert_imported(imported(project, connection.id)).await.map(|_| true)?,
            "secret_names" => !tx.secret_names("model_key", vec!["default".into()]).await?.is_empty(),
            "lock_connection" => tx.lock_connection(connection.id).await?.is_some(),
            "insert_connection" => done(tx.insert_connection(new_connection()).await)?,
            "save_connection" => tx.save_connection(connection.clone()).await.map(|_| true)?,
            "delete_connection" => tx.delete_connection(connection.id).await?,
            "blog_template" => tx.blog_template(template.id).await?.is_some(),
            "blog_templates" => tx.blog_templates().await?.iter().any(|row| row.id == template.id),
            "default_blog_template" => tx.default_blog_template().await?.is_some_and(|row| row.id == template.id),
            "lock_blog_template" => tx.lock_blog_template(template.id).await?.is_some(),
            "clear_default_blog_template" => done(tx.clear_default_blog_template().await)?,
            "insert_blog_template" => done(tx.insert_blog_template(new_template()).await)?,
            "save_blog_template" => tx.save_blog_template(template.clone()).await.map(|_| true)?,
            "delete_blog_template" => tx.delete_blog_template(template.id).await?,
            "publication" => tx.publication(publication.id).await?.is_some(),
            "publications" => tx.publications(&publications).await?.0.iter().any(|row| row.id == publication.id),
            "placed" => tx.placed(article, connection.id).await?.is_some(),
            "lock_publication" => tx.lock_publication(publication.id).await?.is_some(),
            "insert_publication" => tx.insert_publication(new_publication(article, None)).await.map(|_| true)?,
            "save_publication" => tx.save_publication(publication.clone()).await.map(|_| true)?,
            "delete_publication" => tx.delete_publication(publication.id).await?,
            "forget_sent" => done(tx.forget_sent(article, connection.id, Uuid::nil()).await)?,
            "posts" => !tx.posts(project).await?.is_empty(),
            "post" => tx.post(project, article).await?.is_some(),
            "post_counts" => tx.post_counts(project).await?.total > 0,
            "calendar" => tx.calendar(&whole_calendar()).await?.iter().any(|row| row.id == article),
            "calendar_feeds" => tx.calendar_feeds().await?.iter().any(|row| row.org_id == theirs.org.0),
            "insert_calendar_feed" => done(tx.insert_calendar_feed(new_feed()).await)?,
            "delete_calendar_feed" => tx.delete_calendar_feed(theirs.publishing.feed).await?,
            "oldest_approved" => tx.oldest_approved(project).await?.is_some(),
            "save_article" => tx.save_article(theirs.article.clone()).await.map(|_| true)?,
            _ => return Ok(None),
        }))
    };
    asked.await.transpose()
}
