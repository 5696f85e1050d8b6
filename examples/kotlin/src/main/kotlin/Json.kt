import java.time.Duration

/** A value as JSON in ASCII: a server's text must not act on a terminal that shows these lines. */
fun json(value: Any?): String = when (value) {
    is String -> value.asIterable().joinToString("", "\"", "\"", transform = ::escaped)
    is Duration -> seconds(value)
    is List<*> -> value.joinToString(",", "[", "]", transform = ::json)
    is Map<*, *> -> value.entries.joinToString(",", "{", "}") { (name, value) -> "${json(name)}:${json(value)}" }
    else -> value.toString() // null, numbers and truth values
}

private fun escaped(character: Char): String = when (character) {
    '"' -> "\\\""
    '\\' -> "\\\\"
    in ' '..'~' -> character.toString()
    else -> "\\u%04x".format(character.code)
}

private const val HALF_A_MILLISECOND = 500_000L

/** A whole number where it is one, else milliseconds after the point. */
private fun seconds(duration: Duration): String = duration
    .plusNanos(HALF_A_MILLISECOND)
    .toMillis()
    .toBigDecimal()
    .movePointLeft(3)
    .stripTrailingZeros()
    .toPlainString()
