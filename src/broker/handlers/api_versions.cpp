#include "broker/broker.hpp"
#include "broker/handlers/handlers.hpp"
#include "protocol/messages/api_versions.hpp"

#include <algorithm>
#include <iterator>

namespace rafka::broker::handlers {

namespace {

using protocol::ApiVersionsResponse;
using protocol::ErrorCode;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?
bool is_software_name(std::string_view name) {
    if (name.empty() || !is_alphanumeric(name.front()) || !is_alphanumeric(name.back())) return false;
    return std::all_of(name.begin(), name.end(), [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; });
}

// A client that is too new tries again with what this says; a refused one learns at least that.
void answer_as_v0(Request& request, ErrorCode error) {
    auto own = request.arena.make<ApiVersionsResponse::ApiVersion>(1);
    auto* api = protocol::find_api(int16_t(protocol::ApiKey::api_versions));
    own[0] = {int16_t(api->key), api->advertised_oldest, api->served_newest};
    ApiVersionsResponse response;
    response.error_code = error;
    response.api_keys = own;
    request.header.api_version = 0;
    answer(request, response);
}

}  // namespace

Result<> api_versions(Shard& shard, Request& request) {
    if (!protocol::find_api(request.header.api_key)->serves(request.version())) {
        answer_as_v0(request, ErrorCode::unsupported_version);
        return {};
    }
    TRY(auto message, parse<protocol::ApiVersionsRequest>(request));
    ApiVersionsResponse response;
    if (request.version() >= 3) {
        if (!is_software_name(message.client_software_name) || !is_software_name(message.client_software_version)) {
            response.error_code = ErrorCode::invalid_request;
            answer(request, response);
            return {};
        }
        request.client->software_name = message.client_software_name;
        request.client->software_version = message.client_software_version;
    }

    auto keys = request.arena.make<ApiVersionsResponse::ApiVersion>(std::size(protocol::apis));
    size_t count = 0;
    for (auto& api : protocol::apis) {
        if (api.is_served()) keys[count++] = {int16_t(api.key), api.advertised_oldest, api.served_newest};
    }
    response.api_keys = keys.first(count);

    // Clients before version 4 stumble over a feature that begins at 0 (KAFKA-17492).
    auto ranges = rafka::metadata::supported_features();
    auto supported = request.arena.make<ApiVersionsResponse::SupportedFeature>(ranges.size());
    count = 0;
    for (auto& range : ranges) {
        if (range.min == 0 && request.version() < 4) continue;
        supported[count++] = {request.arena.copy(range.name), range.min, range.max};
    }
    response.supported_features = supported.first(count);

    // A directory of Kafka's may have more features on than we have: clients hear of ours only.
    auto& levels = shard.image->features.levels;
    auto finalized = request.arena.make<ApiVersionsResponse::FinalizedFeature>(levels.size() + 1);
    count = 0;
    for (auto& [name, level] : levels) {
        bool is_ours = std::any_of(ranges.begin(), ranges.end(), [&](auto& range) { return range.name == name; });
        if (level > 0 && is_ours) finalized[count++] = {name, level, level};
    }
    auto kraft = shard.broker.kraft_version();
    if (kraft > 0) finalized[count++] = {"kraft.version", kraft, kraft};
    response.finalized_features = finalized.first(count);
    response.finalized_features_epoch = shard.image->offset.value;
    answer(request, response);
    return {};
}

}  // namespace rafka::broker::handlers
