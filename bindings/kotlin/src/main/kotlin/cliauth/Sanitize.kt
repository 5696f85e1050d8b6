@file:JvmName("CliAuth")

package cliauth

import cliauth.internal.sanitize as nativeSanitize

/**
 * Returns [text], which was received from a server, in a form that is safe to print on a terminal. Each run of control
 * or invisible characters is replaced by one U+FFFD, except for joiners inside words; tabs and line breaks become
 * spaces, and spaces at the ends are removed. Text over 400 characters is truncated and marked with `…`.
 *
 * @throws InvalidConfigException the native library cannot be loaded
 */
public fun sanitize(text: String): String {
    NativeCode.load()
    return nativeSanitize(String(text.toByteArray()))
}
