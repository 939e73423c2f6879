#include "metadata/shared_set.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>

using namespace rafka::metadata;

namespace {

struct Thing {
    std::string name;
    int value = 0;
};
struct ThingName {
    const std::string& operator()(const Thing& thing) const { return thing.name; }
};
using Set = SharedSet<Thing, ThingName>;
using Model = std::map<std::string, int>;

bool same(const Set& set, const Model& model) {
    if (set.size() != model.size()) return false;
    auto expected = model.begin();
    for (auto& thing : set) {
        if (thing.name != expected->first || thing.value != expected->second) return false;
        ++expected;
    }
    return expected == model.end();
}

}  // namespace

TEST_CASE("a shared set is a sorted map, and older copies stay as they were") {
    std::mt19937 random(7);
    Set set;
    Model model;
    std::vector<std::pair<Set, Model>> history;
    for (uint64_t edit = 1; edit <= 200; ++edit) {
        for (auto n = random() % 40; n > 0; --n) {
            auto name = std::to_string(random() % 700);
            if (random() % 3 == 0) {
                CHECK(set.erase(edit, name) == (model.erase(name) == 1));
            } else {
                set.put(edit, std::make_shared<Thing>(Thing{name, int(edit)}));
                model[name] = int(edit);
            }
        }
        history.emplace_back(set, model);
    }
    for (auto& [old_set, old_model] : history) CHECK(same(old_set, old_model));

    for (int i = -1; i <= 700; ++i) {
        auto name = std::to_string(i);
        auto found = set.find(name);
        auto expected = model.find(name);
        REQUIRE((found != nullptr) == (expected != model.end()));
        if (found) CHECK(found->value == expected->second);
        auto at = set.from(name);
        auto floor = model.lower_bound(name);
        REQUIRE((at == set.end()) == (floor == model.end()));
        if (floor != model.end()) CHECK(at->name == floor->first);
    }
}

TEST_CASE("an emptied shared set can be filled again") {
    Set set;
    CHECK(set.find("a") == nullptr);
    CHECK_FALSE(set.erase(1, std::string("a")));
    set.put(1, std::make_shared<Thing>(Thing{"a", 1}));
    CHECK(set.erase(2, std::string("a")));
    CHECK(set.empty());
    CHECK(set.begin() == set.end());
    set.put(3, std::make_shared<Thing>(Thing{"b", 2}));
    CHECK(set.size() == 1);
    CHECK(set.begin()->name == "b");
}
