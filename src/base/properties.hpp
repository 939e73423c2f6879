#pragma once

// Java's properties text (java.util.Properties), as in meta.properties: `key=value` lines, `#` comments, `\` escapes.

#include <rafka/result.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rafka {

// In the order of the text. A key that stands twice is there twice; Java takes the last.
using Properties = std::vector<std::pair<std::string, std::string>>;

// malformed: a `\u` escape without four hexadecimal digits, the only thing Java refuses. Bytes above 127 are taken as
// UTF-8, as Kafka writes and reads them.
Result<Properties> properties_of(std::string_view text);

// The last value of `key`, or null.
const std::string* find(const Properties& properties, std::string_view key);

// One line each, in order, with Java's escapes. `comment`, if any, becomes a first line.
std::string to_text(const Properties& properties, std::string_view comment = {});

}  // namespace rafka
