//! The schema. Each migration is a SQL file that runs in one transaction; a migration that landed is never edited.
//!
//! A migration is named after its day and, within the day, a number: `m20261128_000100_projects` in a file of that name.
//! Two branches do not take the same name, and names in order are migrations in order. The first five have numbers.

use sea_orm_migration::prelude::*;

/// Declares migrations from SQL files, in order.
macro_rules! migrations {
    ($($module:ident => $name:literal, $file:literal;)*) => {
        $(
            mod $module {
                use super::*;

                pub struct Migration;

                impl MigrationName for Migration {
                    fn name(&self) -> &str {
                        $name
                    }
                }

                #[async_trait::async_trait]
                impl MigrationTrait for Migration {
                    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                        manager.get_connection().execute_unprepared(include_str!($file)).await?;
                        Ok(())
                    }
                }
            }
        )*

        pub struct Migrator;

        #[async_trait::async_trait]
        impl MigratorTrait for Migrator {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                vec![$(Box::new($module::Migration)),*]
            }
        }
    };
}

migrations! {
    m0001 => "m0001_core", "../sql/0001_core.sql";
    m0002 => "m0002_lighter_writes", "../sql/0002_lighter_writes.sql";
    m0003 => "m0003_events_in_groups", "../sql/0003_events_in_groups.sql";
    m0004 => "m0004_secrets", "../sql/0004_secrets.sql";
    m0005 => "m0005_vacuum_of_queues", "../sql/0005_vacuum_of_queues.sql";
    m20261128_000000 => "m20261128_000000_pipelines", "../sql/m20261128_000000_pipelines.sql";
    m20261128_000100 => "m20261128_000100_projects", "../sql/m20261128_000100_projects.sql";
    m20261128_000200 => "m20261128_000200_schedules", "../sql/m20261128_000200_schedules.sql";
    m20261128_000300 => "m20261128_000300_webhooks", "../sql/m20261128_000300_webhooks.sql";
    m20261128_000400 => "m20261128_000400_open_children", "../sql/m20261128_000400_open_children.sql";
    m20261128_000500 => "m20261128_000500_effects", "../sql/m20261128_000500_effects.sql";
    m20261129_000000 => "m20261129_000000_schedules_of_projects", "../sql/m20261129_000000_schedules_of_projects.sql";
    m20261129_000100 => "m20261129_000100_event_tokens", "../sql/m20261129_000100_event_tokens.sql";
    m20261129_000200 => "m20261129_000200_titles", "../sql/m20261129_000200_titles.sql";
    m20261129_000300 => "m20261129_000300_publishing", "../sql/m20261129_000300_publishing.sql";
    m20261129_000400 => "m20261129_000400_images", "../sql/m20261129_000400_images.sql";
    m20261129_000500 => "m20261129_000500_deployments", "../sql/m20261129_000500_deployments.sql";
    m20261129_000700 => "m20261129_000700_opened_sites", "../sql/m20261129_000700_opened_sites.sql";
    m20261130_000000 => "m20261130_000000_held_by_sites", "../sql/m20261130_000000_held_by_sites.sql";
    m20261130_000100 => "m20261130_000100_slugs_of_projects", "../sql/m20261130_000100_slugs_of_projects.sql";
    m20261130_000200 => "m20261130_000200_partly_supported", "../sql/m20261130_000200_partly_supported.sql";
    m20261130_000300 => "m20261130_000300_judgements", "../sql/m20261130_000300_judgements.sql";
    m20261130_000400 => "m20261130_000400_model_answers", "../sql/m20261130_000400_model_answers.sql";
    m20261130_000500 => "m20261130_000500_embeddings", "../sql/m20261130_000500_embeddings.sql";
    m20261130_000600 => "m20261130_000600_source_images", "../sql/m20261130_000600_source_images.sql";
}

pub use sea_orm_migration::MigratorTrait;

#[cfg(test)]
mod tests {
    use super::*;

    /// Migrations that have a number and no date.
    const NUMBERED: usize = 5;

    #[test]
    fn names_are_in_order_and_every_file_is_run() {
        let names: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        assert!(names.is_sorted_by(|before, after| before < after), "{names:?}");
        for name in &names[NUMBERED..] {
            let (date, rest) = (&name[..17], &name[17..]);
            let shape: String = date.chars().map(|sign| if sign.is_ascii_digit() { '0' } else { sign }).collect();
            assert_eq!(shape, "m00000000_000000_", "{name}: a date, a number, what it does");
            assert!(!rest.is_empty() && !rest.contains("__"), "{name}");
        }
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
        let entries = std::fs::read_dir(folder).expect("the folder of the files");
        let mut files: Vec<String> =
            entries.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned()).collect();
        files.sort();
        let mut wanted: Vec<String> = names.iter().map(|name| format!("{name}.sql")).collect();
        wanted[..NUMBERED].iter_mut().for_each(|name| *name = name.trim_start_matches('m').to_owned());
        assert_eq!(files, wanted, "a file for each migration, called like it");
    }
}
