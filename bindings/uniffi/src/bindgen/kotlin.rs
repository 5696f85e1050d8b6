//! Makes the generated Kotlin module internal to the package, fast to load, free of two memory errors, and dependent on
//! the library that the package has checked.
//!
//! When a module is loaded, JNA inspects every function that it declares, whether it is called or not. UniFFI declares
//! twice as many functions as are called. UniFFI also declares the field order of a structure in an annotation, and
//! reading an annotation makes the JVM generate a class. A method with the same result costs nothing.
//!
//! The generated code rejects a closed object as the receiver of a call, but not as an argument, where its memory would
//! be used after it was freed. It also never frees the buffer that contains an error. This pass corrects both.

use std::{fs, io, path::Path};

/// The annotation that suppresses compiler warnings, and its replacement.
const SUPPRESSED: (&str, &str) = ("@file:Suppress(\"NAME_SHADOWING\")", "@file:Suppress(\"warnings\")");

/// The beginnings of public declarations.
const VISIBLE: [&str; 9] = [
    "class ",
    "open class ",
    "sealed class ",
    "data class ",
    "interface ",
    "object ",
    "fun ",
    "inline fun ",
    "suspend fun ",
];

const AFTER_COMMENT: &str = "*/ ";
const FIELD_ORDER: &str = "@Structure.FieldOrder(";
const OF_A_STRUCTURE: &str = " : Structure() {";
/// The line that passes an object as an argument, and its replacement, which rejects a closed object and keeps the
/// object open while its handle is cloned.
const ARGUMENT: (&str, &str) =
    ("        return value.uniffiCloneHandle()", "        return value.callWithHandle { it }");
/// The line that loads the library by its name, and its replacement, which takes the library that was checked.
const LOADED: (&str, &str) = (
    "        Native.register(UniffiLib::class.java, findLibraryName(componentName = \"cli_auth_native\"))",
    "        Native.register(UniffiLib::class.java, cliauth.NativeCode.load())",
);
/// The line that reads the object in a buffer, and its replacement, which also frees the buffer.
const ERROR: (&str, &str) = (
    "            return FfiConverterTypeFailure.read(bb)",
    "            return FfiConverterTypeFailure.read(bb).also { RustBuffer.free(error_buf) }",
);
const EXTERNAL: &str = "    external fun ";

/// Rewrites the file in place.
pub(crate) fn rewrite(path: &Path) -> io::Result<()> {
    let lean = replaced(&fs::read_to_string(path)?).map_err(io::Error::other)?;
    fs::write(path, lean)
}

/// Returns the rewritten module. Fails, and so does the build, if the generator's output has changed and the
/// replacements must be reviewed.
fn replaced(source: &str) -> Result<String, String> {
    let mut lean = String::with_capacity(source.len());
    let mut lines = source.lines();
    let (mut suppressed, mut hidden, mut left_out) = (0, 0, 0);
    let (mut arguments, mut errors, mut loaded) = (0, 0, 0);
    let mut field_order: Option<&str> = None;
    while let Some(line) = lines.next() {
        if let Some(fields) = line.strip_prefix(FIELD_ORDER) {
            if field_order.is_some() {
                return Err("an order of fields belongs to no structure".to_owned());
            }
            field_order = Some(fields);
            continue;
        }
        if line == SUPPRESSED.0 {
            suppressed += 1;
            lean.push_str(SUPPRESSED.1);
        } else if line == ARGUMENT.0 {
            arguments += 1;
            lean.push_str(ARGUMENT.1);
        } else if line == LOADED.0 {
            loaded += 1;
            lean.push_str(LOADED.1);
        } else if line == ERROR.0 {
            errors += 1;
            lean.push_str(ERROR.1);
        } else if let Some(name) = external(line)
            && source.matches(&format!("{name}(")).count() == 1
        {
            left_out += 1;
            // The declaration ends on the next line.
            let end = lines.next().unwrap_or_default();
            if !end.starts_with("    ): ") {
                return Err(format!("the declaration of {name} ends with another line: {end}"));
            }
            continue;
        } else if let Some((before, declaration)) = visible(line) {
            hidden += 1;
            lean.push_str(before);
            lean.push_str("internal ");
            lean.push_str(declaration);
        } else {
            lean.push_str(line);
        }
        lean.push('\n');
        if line.ends_with(OF_A_STRUCTURE) {
            let fields = field_order.take().ok_or("a structure has no order of fields")?;
            lean.push_str("    override fun getFieldOrder(): List<String> = listOf(");
            lean.push_str(fields);
            lean.push('\n');
        }
    }
    if arguments == 0 || errors != 1 || loaded != 1 {
        return Err(format!(
            "{arguments} kinds of objects are arguments, {errors} kinds of errors come in a buffer, and {loaded} lines load \
             the library"
        ));
    }
    if suppressed != 1 || hidden == 0 || left_out == 0 || field_order.is_some() {
        return Err(format!(
            "the generated module is another one: {suppressed} lines suppress warnings, {hidden} declarations are visible, \
             {left_out} functions are not called"
        ));
    }
    Ok(lean)
}

/// Returns the name of the library function that the line declares.
fn external(line: &str) -> Option<&str> {
    line.strip_prefix(EXTERNAL)?.split('(').next()
}

/// Returns the text before a public top-level declaration, and the declaration without its visibility modifier.
fn visible(line: &str) -> Option<(&str, &str)> {
    // A function is declared on the line on which its documentation ends.
    let at = line.find(AFTER_COMMENT).map_or(0, |at| at + AFTER_COMMENT.len());
    let (before, declaration) = line.split_at_checked(at)?;
    let declaration = declaration.strip_prefix("public ").unwrap_or(declaration);
    VISIBLE.iter().any(|start| declaration.starts_with(start)).then_some((before, declaration))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
@file:Suppress(\"NAME_SHADOWING\")
public interface A {
    external fun called(a: Long,
    ): Long
    external fun idle(a: Long,
    ): Unit
    fun inside() = called(1)
        return value.uniffiCloneHandle()
            return FfiConverterTypeFailure.read(bb)
        Native.register(UniffiLib::class.java, findLibraryName(componentName = \"cli_auth_native\"))
}
open class B : A
private class C
@Structure.FieldOrder(\"a\", \"b\")
internal open class S(
    val a: Int,
) : Structure() {
}
    /**
     * D.
     */ fun d() = 1
";

    #[test]
    fn what_is_not_called_is_left_out_and_the_rest_is_hidden() {
        let lean = replaced(SOURCE).unwrap();
        let wanted = "\
@file:Suppress(\"warnings\")
internal interface A {
    external fun called(a: Long,
    ): Long
    fun inside() = called(1)
        return value.callWithHandle { it }
            return FfiConverterTypeFailure.read(bb).also { RustBuffer.free(error_buf) }
        Native.register(UniffiLib::class.java, cliauth.NativeCode.load())
}
internal open class B : A
private class C
internal open class S(
    val a: Int,
) : Structure() {
    override fun getFieldOrder(): List<String> = listOf(\"a\", \"b\")
}
    /**
     * D.
     */ internal fun d() = 1
";
        assert_eq!(lean, wanted);
    }

    #[test]
    fn a_generator_that_changed_fails_the_build() {
        for (written, other) in [
            ("NAME_SHADOWING", "OTHER"),
            ("    ): Unit", "    ) : Unit"),
            ("idle", "inside"),
            ("@Structure", "@Other"),
            ("Structure() {", "Other() {"),
            ("value.uniffiCloneHandle()", "value.handle"),
            ("FfiConverterTypeFailure", "Other"),
            ("findLibraryName", "other"),
        ] {
            assert!(replaced(&SOURCE.replace(written, other)).is_err(), "{written}");
        }
        assert!(replaced("").is_err());
    }
}
