//! Projects: the bodies of work that articles and products belong to.

use crate::text_enum;

text_enum! {
    /// Where what is written for a project goes in the end.
    #[derive(Default)]
    Platform {
        Woocommerce = "woocommerce",
        Shopify = "shopify",
        Magento2 = "magento2",
        #[default]
        Wordpress = "wordpress",
    }
}

text_enum! {
    ProjectStatus { Draft = "draft", Processing = "processing", Review = "review", Completed = "completed" }
}
