//! Templates that blog posts are made from.

use galley_services::{Sections, TemplateEdit, TemplateSection};
use galley_store::rows;
use uuid::Uuid;

use crate::http::{
    Area,
    kit::{
        fields::{Patch, Plain, fields},
        resource::resource,
        scalar::{Moment, Nullable},
        values::{FreeObject, Integer, List, Text},
        view::view,
    },
};

resource! {
    pub struct Templates of rows::BlogTemplate as BlogTemplate in "Area::Publishing" at "/blog-templates";
    read by ProjectsRead, written by ProjectsWrite;

    list "/blog-templates" as "list_blog_templates" {
        /// List blog templates
        ///
        /// All of them, newest first.
    }
    create CreateBlogTemplate "/blog-templates" as "create_blog_template" {
        /// Create a blog template
        ///
        /// The default is what posts are made from that name none; there is at most one, so it takes that from another. At most
        /// 500.
    }
    get template_id "/blog-templates/:template_id" as "get_blog_template" {
        /// Get a blog template
        ///
        /// With its sections.
    }
    update UpdateBlogTemplate template_id "/blog-templates/:template_id" as "update_blog_template" {
        /// Change a blog template
        ///
        /// What is left out stays. Posts that were made from it stay as they are.
    }
    delete template_id "/blog-templates/:template_id" as "delete_blog_template" {
        /// Delete a blog template
        ///
        /// Posts that were made from it keep their text.
    }
}

type Name = Text<1, 200>;
type Instructions = Text<0, 4000>;

fields! {
    /// A section of the posts that are made from a template.
    pub struct BlogTemplateSection: ignores_unknown {
        heading: Text<1, 200>,
        /// What to say there.
        instructions: Option<Text<0, 1000>>,
        /// About so many. Their sum is the length of a post whose order does not say one.
        words: Option<Integer<1, 10_000>>,
    }
}

fields! {
    /// What posts are to consist of.
    pub struct BlogTemplateStructure: ignores_unknown {
        /// In their order; at most 40.
        sections: Option<List<BlogTemplateSection, 40>>,
    }
}

fields! {
    /// A template to create.
    pub struct CreateBlogTemplate: ignores_unknown {
        /// 1 to 200 characters.
        name: Name,
        description: Option<Text<0, 2000>>,
        /// How to write, for example professional, where the order of a post does not say.
        tone: Patch<Nullable<Text<1, 100>>>,
        structure: Option<BlogTemplateStructure>,
        /// What else the writer should know, besides what the order of a post says.
        custom_instructions: Option<Instructions>,
        is_default: bool = false,
    }
    becomes TemplateEdit;
}

fields! {
    /// Changes to a template; what is left out stays.
    pub struct UpdateBlogTemplate: ignores_unknown {
        /// 1 to 200 characters.
        name: Patch<Name>,
        description: Patch<Text<0, 2000>>,
        /// Null: none is said.
        tone: Patch<Nullable<Text<1, 100>>>,
        structure: Patch<BlogTemplateStructure>,
        custom_instructions: Patch<Instructions>,
        is_default: Patch<bool>,
    }
    becomes TemplateEdit;
}

impl Plain for BlogTemplateStructure {
    type Plain = Sections;

    fn plain(self) -> Sections {
        let section = |section: BlogTemplateSection| TemplateSection {
            heading: section.heading.0,
            instructions: section.instructions.map(|text| text.0).unwrap_or_default(),
            words: section.words.and_then(|words| u32::try_from(words.0).ok()),
        };
        Sections(self.sections.map(|list| list.0.into_iter().map(section).collect()).unwrap_or_default())
    }
}

view! {
    /// What blog posts are made from.
    pub struct BlogTemplate of rows::BlogTemplate as row {
        id: Uuid,
        organization_id: Uuid = row.org_id,
        name: String,
        description: String,
        tone: Nullable<String>,
        /// `sections`, each with `heading`, `instructions` and `words`.
        structure: FreeObject,
        custom_instructions: String,
        is_default: bool,
        created_at: Moment,
        updated_at: Moment,
    }
}
