//! Entities of all tables; private to this crate.

use sea_orm::IdenStatic;

use crate::crud::TenantEntity;

pub mod api_keys;
pub mod article_versions;
pub mod articles;
pub mod blog_templates;
pub mod calendar_feeds;
pub mod claims;
pub mod connections;
pub mod deployments;
pub mod effects;
pub mod embeddings;
pub mod event_followers;
pub mod event_groups;
pub mod event_tokens;
pub mod events;
pub mod files;
pub mod holds;
pub mod idempotency_keys;
pub mod images;
pub mod judgements;
pub mod ledger_entries;
pub mod model_answers;
pub mod organizations;
pub mod projects;
pub mod publications;
pub mod research_sources;
pub mod schedule_runs;
pub mod schedules;
pub mod secrets;
pub mod site_events;
pub mod steps;
pub mod stock_photo_keys;
pub mod tasks;
pub mod usage_records;
pub mod users;
pub mod webhook_attempts;
pub mod webhook_deliveries;
pub mod webhooks;

/// Tables and views whose rows belong to an organization, each with the column that says to which.
pub fn tenant_tables() -> Vec<(&'static str, &'static str)> {
    fn of<E: TenantEntity>() -> (&'static str, &'static str) {
        (E::default().table_name(), IdenStatic::as_str(&E::org_column()))
    }
    vec![
        of::<api_keys::Entity>(),
        of::<article_versions::Entity>(),
        of::<articles::Entity>(),
        of::<blog_templates::Entity>(),
        of::<calendar_feeds::Entity>(),
        of::<claims::Entity>(),
        of::<connections::Entity>(),
        of::<deployments::Entity>(),
        of::<effects::Entity>(),
        of::<embeddings::Entity>(),
        of::<event_followers::Entity>(),
        of::<event_groups::Entity>(),
        of::<event_tokens::Entity>(),
        of::<events::Entity>(),
        of::<files::Entity>(),
        of::<holds::Entity>(),
        of::<idempotency_keys::Entity>(),
        of::<images::Entity>(),
        of::<judgements::Entity>(),
        of::<ledger_entries::Entity>(),
        of::<model_answers::Entity>(),
        of::<organizations::Entity>(),
        of::<projects::Entity>(),
        of::<publications::Entity>(),
        of::<research_sources::Entity>(),
        of::<schedule_runs::Entity>(),
        of::<schedules::Entity>(),
        of::<secrets::Entity>(),
        of::<site_events::Entity>(),
        of::<steps::Entity>(),
        of::<stock_photo_keys::Entity>(),
        of::<tasks::Entity>(),
        of::<usage_records::Entity>(),
        of::<users::Entity>(),
        of::<webhook_attempts::Entity>(),
        of::<webhook_deliveries::Entity>(),
        of::<webhooks::Entity>(),
    ]
}
