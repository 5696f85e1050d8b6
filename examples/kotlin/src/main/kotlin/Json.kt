import java.time.Duration

/** Returns a value as JSON. The result is ASCII, so text from a server cannot affect a terminal that shows it. */
fun json(value: Any?): String = when (value) {
    is String -> value.asIterable().joinToString("", "\"", "\"", transform = ::escaped)
    is Duration -> seconds(value)
    is List<*> -> value.joinToString(",", "[", "]", transform = ::json)
    is Map<*, *> -> value.entries.joinToString(",", "{", "}") { (name, value) -> "${json(name)}:${json(value)}" }
    else -> value.toString() // null, numbers and booleans
}

private fun escaped(character: Char): String = when (character) {
    '"' -> "\\\""
    '\\' -> "\\\\"
    in ' '..'~' -> character.toString()
    else -> "\\u%04x".format(character.code)
}

private const val HALF_A_MILLISECOND = 500_000L

/** Returns the seconds, rounded to milliseconds, without trailing zeros. */
private fun seconds(duration: Duration): String = duration
    .plusNanos(HALF_A_MILLISECOND)
    .toMillis()
    .toBigDecimal()
    .movePointLeft(3)
    .stripTrailingZeros()
    .toPlainString()
