#include "base/properties.hpp"

namespace rafka {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }

void append_utf8(std::string& out, uint32_t x) {
    if (x < 0x80) {
        out += char(x);
    } else if (x < 0x800) {
        out += char(0xc0 | x >> 6);
        out += char(0x80 | (x & 63));
    } else if (x < 0x10000) {
        out += char(0xe0 | x >> 12);
        out += char(0x80 | (x >> 6 & 63));
        out += char(0x80 | (x & 63));
    } else {
        out += char(0xf0 | x >> 18);
        out += char(0x80 | (x >> 12 & 63));
        out += char(0x80 | (x >> 6 & 63));
        out += char(0x80 | (x & 63));
    }
}

// The next logical line: comments and blank lines skipped, continued lines joined, escapes still in it.
bool next_line(std::string_view& rest, std::string& line) {
    line.clear();
    bool continued = false;
    while (!rest.empty()) {
        auto end = rest.find_first_of("\r\n");
        auto natural = rest.substr(0, end);
        rest.remove_prefix(end == rest.npos ? rest.size() : end + 1 + (rest.substr(end).starts_with("\r\n")));
        while (!natural.empty() && is_blank(natural.front())) natural.remove_prefix(1);
        if (!continued && (natural.empty() || natural.front() == '#' || natural.front() == '!')) continue;
        size_t backslashes = 0;
        while (backslashes < natural.size() && natural[natural.size() - 1 - backslashes] == '\\') ++backslashes;
        continued = backslashes % 2 == 1;
        if (continued) natural.remove_suffix(1);
        line += natural;
        if (!continued) return true;
    }
    return continued && !line.empty();
}

// Four hexadecimal digits after `\u`, or -1.
int32_t hex4(std::string_view text) {
    if (text.size() < 4) return -1;
    int32_t x = 0;
    for (char c : text.substr(0, 4)) {
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (digit < 0) return -1;
        x = x << 4 | digit;
    }
    return x;
}

Result<std::string> unescape(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            if (text[i] != '\\') out += text[i];
            continue;
        }
        switch (char c = text[++i]) {
        case 't': out += '\t'; break;
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 'f': out += '\f'; break;
        case 'u': {
            auto x = hex4(text.substr(i + 1));
            if (x < 0) return fail(Errc::malformed);
            i += 4;
            // A pair of UTF-16 surrogates is one character.
            if (x >= 0xd800 && x < 0xdc00 && text.substr(i + 1, 2) == "\\u") {
                if (auto low = hex4(text.substr(i + 3)); low >= 0xdc00 && low < 0xe000) {
                    x = 0x10000 + (x - 0xd800) * 0x400 + (low - 0xdc00);
                    i += 6;
                }
            }
            append_utf8(out, uint32_t(x));
            break;
        }
        default: out += c;
        }
    }
    return out;
}

void append_escaped(std::string& out, std::string_view text, bool is_key) {
    for (size_t i = 0; i < text.size(); ++i) {
        switch (char c = text[i]) {
        case ' ':
            if (is_key || i == 0) out += '\\';
            out += ' ';
            break;
        case '\t': out += "\\t"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\f': out += "\\f"; break;
        case '\\': case '=': case ':': case '#': case '!':
            out += '\\';
            out += c;
            break;
        default: out += c;
        }
    }
}

}  // namespace

Result<Properties> properties_of(std::string_view text) {
    Properties properties;
    std::string line;
    while (next_line(text, line)) {
        size_t key_end = 0;
        while (key_end < line.size() && !is_blank(line[key_end]) && line[key_end] != '=' && line[key_end] != ':') {
            key_end += line[key_end] == '\\' && key_end + 1 < line.size() ? 2 : 1;
        }
        // Blanks, at most one separator, blanks.
        auto value_at = key_end;
        bool separated = false;
        for (; value_at < line.size(); ++value_at) {
            char c = line[value_at];
            if (is_blank(c)) continue;
            if (separated || (c != '=' && c != ':')) break;
            separated = true;
        }
        TRY(auto key, unescape(std::string_view(line).substr(0, key_end)));
        TRY(auto value, unescape(std::string_view(line).substr(value_at)));
        properties.emplace_back(std::move(key), std::move(value));
    }
    return properties;
}

const std::string* find(const Properties& properties, std::string_view key) {
    const std::string* found = nullptr;
    for (auto& [name, value] : properties) {
        if (name == key) found = &value;
    }
    return found;
}

std::string to_text(const Properties& properties, std::string_view comment) {
    std::string out;
    if (!comment.empty()) {
        out += '#';
        out += comment;
        out += '\n';
    }
    for (auto& [key, value] : properties) {
        append_escaped(out, key, true);
        out += '=';
        append_escaped(out, value, false);
        out += '\n';
    }
    return out;
}

}  // namespace rafka
