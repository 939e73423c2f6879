// The house checks itself: who includes whom, where the outside world is asked, which sources are built.
// Run with the project's root as the only argument.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr size_t lines_max = 600;

// The order of the folders: each may include those named, itself, and <rafka/...>.
const std::map<std::string, std::set<std::string>> may_include{
    {"base", {}},
    {"io", {"base"}},
    {"engine", {"io", "base"}},
    {"wire", {"base"}},
    {"protocol", {"wire", "base"}},
    {"metadata", {"protocol", "wire", "io", "base"}},
    {"coordinator", {"protocol", "wire", "io", "base"}},
    {"security", {"io", "base"}},
    {"client", {"protocol", "wire", "io", "base"}},
    {"cluster", {"client", "metadata", "protocol", "wire", "io", "base"}},
    {"broker", {"cluster", "client", "security", "coordinator", "metadata", "protocol", "wire", "io", "base"}},
};

// Public headers by who may see them.
const std::set<std::string> public_for_all{"types", "bytes", "result"};
const std::set<std::string> public_from_io{"task", "io", "loop"};
const std::set<std::string> without_io{"base", "wire", "protocol"};

// Libraries that stand behind one file of ours each.
struct Fence {
    std::regex header;
    std::vector<std::string> files;
};
const std::vector<Fence> fences{
    {std::regex("liburing"), {"src/io/uring"}},
    {std::regex("toml"), {"src/broker/config.cpp"}},
    {std::regex("spdlog"), {"src/base/log"}},
    {std::regex("xxhash"), {"src/base/hash"}},
    {std::regex("isa-l|crc\\.h"), {"src/base/hash"}},
    {std::regex("zlib\\.h|lz4|zstd|snappy"), {"src/engine/codec.cpp"}},
    {std::regex("CLI/"), {"src/command_line.cpp"}},
    {std::regex("openssl"), {"src/security/"}},
};

// The machine is asked in src/io only. The daemon's own source reads its files and receives signals before there is a loop.
const std::set<std::string> machine_headers{
    "unistd.h", "fcntl.h", "fstream", "filesystem", "random", "thread", "ctime", "time.h", "poll.h", "sys/socket.h", "sys/stat.h",
    "sys/mman.h", "sys/file.h", "sys/epoll.h", "sys/eventfd.h", "sys/random.h", "sys/time.h", "netinet/in.h", "netdb.h", "dirent.h"};
const std::vector<std::regex> machine_calls{
    std::regex(R"((^|[^\w:>])::(open|openat|read|write|close|socket|bind|listen|accept|send|recv|rename|unlink|mkdir|time)\s*\()"),
    std::regex(R"(\b(fsync|fdatasync|pread|pwrite|preadv2?|pwritev2?|fallocate|ftruncate|clock_gettime|gettimeofday|getrandom|fopen)\s*\()"),
    std::regex(R"(\b(steady_clock|system_clock|high_resolution_clock)\s*::\s*now\b)"),
    std::regex(R"(\bstd::(random_device|mt19937|ifstream|ofstream|fstream|rand|time)\b)"),
    std::regex(R"(\bthis_thread::sleep)"),
};

std::string text_of(const fs::path& path) {
    std::ifstream in(path);
    std::stringstream out;
    out << in.rdbuf();
    return out.str();
}

// Without comments and the insides of literals, line by line as it was.
std::string code_of(const std::string& text) {
    std::string out;
    for (size_t i = 0; i < text.size();) {
        if (text.compare(i, 2, "//") == 0) {
            while (i < text.size() && text[i] != '\n') ++i;
        } else if (text.compare(i, 2, "/*") == 0) {
            while (i < text.size() && text.compare(i, 2, "*/") != 0) {
                if (text[i] == '\n') out += '\n';
                ++i;
            }
            i += 2;
        } else if (text.compare(i, 3, "R\"(") == 0) {
            while (i < text.size() && text.compare(i, 2, ")\"") != 0) {
                if (text[i] == '\n') out += '\n';
                ++i;
            }
            i += 2;
        } else if (text[i] == '"') {
            out += text[i++];
            while (i < text.size() && text[i] != '"' && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
            out += '"';
            ++i;
        } else {
            out += text[i++];
        }
    }
    return out;
}

class Tidy {
public:
    explicit Tidy(fs::path root) : root_(std::move(root)) {}

    int run() {
        for (const char* top : {"src", "include", "tests", "bench"}) {
            for (const auto& entry : fs::recursive_directory_iterator(root_ / top)) {
                auto suffix = entry.path().extension();
                if (suffix == ".cpp" || suffix == ".hpp") check(entry.path());
            }
        }
        std::vector<std::string> way;
        for (const auto& [name, targets] : includes_) look_for_circle(name, way);
        if (checked_ < 20) objections_.push_back("only " + std::to_string(checked_) + " files found: is this the root of the project?");
        std::ranges::sort(objections_);
        for (const auto& objection : objections_) std::cout << objection << "\n";
        std::cout << checked_ << " files, " << objections_.size() << " objections\n";
        return objections_.empty() ? 0 : 1;
    }

private:
    void object(const std::string& place, const std::string& sentence) { objections_.push_back(place + ": " + sentence); }

    void check(const fs::path& path) {
        ++checked_;
        auto name = fs::relative(path, root_).generic_string();
        auto text = text_of(path);
        auto lines = size_t(std::ranges::count(text, '\n'));
        if (lines > lines_max) object(name, std::to_string(lines) + " lines: usually two ideas");
        if (path.extension() == ".hpp" && !text.starts_with("#pragma once\n")) object(name, "does not begin with #pragma once");
        if (path.extension() == ".cpp") check_is_built(path, name);
        auto in = [&](const char* top) { return name.starts_with(top); };
        if (in("src/") || in("include/")) check_includes(name, text);
        if (in("src/") || in("include/")) check_machine(name, text);
        check_awaits(name, text);
    }

    // A source that no build file names is dead.
    void check_is_built(const fs::path& path, const std::string& name) {
        for (auto folder = path.parent_path();; folder = folder.parent_path()) {
            if (auto list = folder / "meson.build"; fs::exists(list)) {
                auto own = fs::relative(path, folder).generic_string();
                if (text_of(list).find("'" + own + "'") != std::string::npos) return;
            }
            if (folder == root_ || folder == folder.root_path()) break;
        }
        object(name, "is named by no meson.build");
    }

    void check_includes(const std::string& name, const std::string& text) {
        static const std::regex include(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");
        bool is_public = name.starts_with("include/");
        auto inner = name.substr(name.find('/') + 1);
        auto folder = inner.find('/') == std::string::npos ? std::string() : inner.substr(0, inner.find('/'));
        if (!is_public && !folder.empty() && !may_include.contains(folder)) object(name, "stands in a folder that the include rule does not know");

        std::istringstream lines(text);
        std::string line;
        for (size_t number = 1; std::getline(lines, line); ++number) {
            std::smatch match;
            if (!std::regex_search(line, match, include)) continue;
            auto header = match[2].str();
            auto place = name + ":" + std::to_string(number);
            includes_[name].insert((header.starts_with("rafka/") ? "include/" : "src/") + header);
            for (const auto& fence : fences) {
                if (!std::regex_search(header, fence.header)) continue;
                bool allowed = std::ranges::any_of(fence.files, [&](const auto& file) { return name.starts_with(file); });
                if (!allowed) object(place, "<" + header + "> belongs behind " + fence.files.front());
            }
            if (header.starts_with("rafka/")) {
                check_public(place, folder, fs::path(header).stem().string());
                continue;
            }
            if (match[1] == "<") continue;
            if (is_public) {
                object(place, "a public header shows a private one");
                continue;
            }
            auto slash = header.find('/');
            auto target = slash == std::string::npos ? std::string() : header.substr(0, slash);
            if (folder.empty() || target == folder) continue;
            if (target.empty()) object(place, "includes are written from src: \"folder/file.hpp\"");
            else if (!may_include.at(folder).contains(target)) object(place, folder + " may not include " + target);
        }
    }

    void check_public(const std::string& place, const std::string& folder, const std::string& stem) {
        if (folder.empty() || folder == "rafka" || public_for_all.contains(stem)) return;
        if (public_from_io.contains(stem)) {
            if (without_io.contains(folder)) object(place, folder + " may not include <rafka/" + stem + ".hpp>");
            return;
        }
        static const std::set<std::string> batches{"engine", "metadata", "coordinator", "client", "cluster", "broker"};
        if (!batches.contains(folder)) object(place, folder + " may not include <rafka/" + stem + ".hpp>");
    }

    void check_machine(const std::string& name, const std::string& text) {
        if (name.starts_with("src/io/") || name == "src/rafka.cpp") return;
        static const std::regex include(R"(^\s*#\s*include\s*<([^>]+)>)");
        std::istringstream lines(code_of(text));
        std::string line;
        for (size_t number = 1; std::getline(lines, line); ++number) {
            auto place = name + ":" + std::to_string(number);
            std::smatch match;
            if (std::regex_search(line, match, include)) {
                if (machine_headers.contains(match[1])) object(place, "<" + match[1].str() + "> belongs in src/io");
                continue;
            }
            for (const auto& call : machine_calls) {
                if (std::regex_search(line, match, call)) object(place, "asks the machine past Io: " + match[0].str());
            }
        }
    }

    // g++ 12 goes into an await behind && or || even when the left side has decided.
    void check_awaits(const std::string& name, const std::string& text) {
        static const std::regex operand(R"((&&|\|\|)\s*co_await)");
        std::istringstream lines(code_of(text));
        std::string line;
        for (size_t number = 1; std::getline(lines, line); ++number) {
            if (std::regex_search(line, operand)) object(name + ":" + std::to_string(number), "co_await as an operand of && or ||");
        }
    }

    void look_for_circle(const std::string& name, std::vector<std::string>& way) {
        if (auto seen = std::ranges::find(way, name); seen != way.end()) {
            std::string circle;
            for (; seen != way.end(); ++seen) circle += *seen + " -> ";
            return object(name, "include circle: " + circle + name);
        }
        if (finished_.contains(name)) return;
        auto at = includes_.find(name);
        if (at == includes_.end()) return;
        way.push_back(name);
        for (const auto& target : at->second) look_for_circle(target, way);
        way.pop_back();
        finished_.insert(name);
    }

    fs::path root_;
    std::vector<std::string> objections_;
    std::map<std::string, std::set<std::string>> includes_;
    std::set<std::string> finished_;
    size_t checked_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: tidy_test ROOT\n";
        return 2;
    }
    return Tidy(fs::canonical(argv[1])).run();
}
