//! The schema. Each migration is a SQL file that runs in one transaction; a migration that landed is never edited.

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
}

pub use sea_orm_migration::MigratorTrait;
