#include "metadata/image.hpp"

#include <algorithm>

namespace rafka::metadata {

namespace {

template <class Set>
bool same(const Set& a, const Set& b) {
    if (a.size() != b.size()) return false;
    auto left = a.begin();
    for (auto right = b.begin(); right != b.end(); ++right, ++left) {
        if (left.pointer()->get() != right.pointer()->get() && !(*left == *right)) return false;
    }
    return true;
}

}  // namespace

const Endpoint* Broker::endpoint(std::string_view listener) const {
    for (auto& endpoint : endpoints) {
        if (endpoint.name == listener) return &endpoint;
    }
    return nullptr;
}

int16_t Features::level(std::string_view name) const {
    auto place = std::lower_bound(levels.begin(), levels.end(), name,
                                  [](const auto& level, std::string_view wanted) { return level.first < wanted; });
    return place != levels.end() && place->first == name ? place->second : int16_t(0);
}

const PartitionState* Image::partition(const PartitionKey& key) const {
    auto found = topic(key.topic_id);
    if (!found || key.partition < 0 || size_t(key.partition) >= found->partitions.size()) return nullptr;
    return &found->partitions[size_t(key.partition)];
}

bool same_state(const Image& a, const Image& b) {
    return a.features == b.features && same(a.brokers, b.brokers) && same(a.controllers, b.controllers) &&
           same(a.topics, b.topics) && same(a.topics_by_id, b.topics_by_id) && same(a.configs, b.configs) &&
           same(a.acls, b.acls) && same(a.scram, b.scram) && same(a.tokens, b.tokens) && same(a.quotas, b.quotas) &&
           a.producer_ids == b.producer_ids;
}

}  // namespace rafka::metadata
