//! Questions about connections, posts and publications, and the rows that they are about.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use galley_domain::{
    project::Platform,
    publishing::{PublicationState, Visibility},
};
use galley_store::{
    CalendarFilter, ConnectionFilter, NewConnection, NewFeed, NewPublication, NewTemplate, PublicationFilter,
    StoreError, TenantTx, rows,
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
}

pub(super) async fn theirs(tx: &TenantTx, project: Uuid, article: Uuid) -> TheirPublishing {
    let connection = NewConnection { project_id: Some(project), ..new_connection() };
    let connection = tx.insert_connection(connection).await.unwrap();
    let template = NewTemplate { is_default: true, ..new_template() };
    let template = tx.insert_blog_template(template).await.unwrap();
    let publication = tx.insert_publication(new_publication(article, Some(connection.id))).await.unwrap();
    let feed = tx.insert_calendar_feed(new_feed()).await.unwrap().id;
    TheirPublishing { connection, template, publication, feed }
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
    let TheirPublishing { connection, template, publication, .. } = &theirs.publishing;
    let integrations = ConnectionFilter { limit: 1000, ..ConnectionFilter::default() };
    let publications = PublicationFilter { limit: 1000, ..PublicationFilter::default() };
    let asked = async {
        Ok(Some(match name {
            "connection" => tx.connection(connection.id).await?.is_some(),
            "blog_connections" => tx.blog_connections().await?.iter().any(|row| row.id == connection.id),
            "integrations" => tx.integrations(&integrations).await?.0.iter().any(|row| row.id == connection.id),
            "connection_of" => tx.connection_of(Platform::Wordpress, SITE, &connection.username).await?.is_some(),
            "connection_is_promised" => tx.connection_is_promised(connection.id).await?,
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
