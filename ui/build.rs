//! Compiles the screens. Both languages are bundled, so a terminal needs no files beside its
//! program; debug information stays in, because tests, speech and automation find elements by it.

fn main() -> Result<(), slint_build::CompileError> {
    // The compiler follows the imports by itself, but not a new or removed translation.
    println!("cargo:rerun-if-changed=lang");
    let config = slint_build::CompilerConfiguration::new()
        .with_debug_info(true)
        // Sources are Chinese; `lang/en` must exist, or selecting "en" would mean "the sources".
        .with_bundled_translations("lang")
        .with_default_translation_context(slint_build::DefaultTranslationContext::None);
    slint_build::compile_with_config("slint/app.slint", config)
}
