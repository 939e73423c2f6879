#include "metadata/quorum_state.hpp"

#include "base/log.hpp"

#include <nlohmann/json.hpp>

namespace rafka::metadata {

namespace {

using Json = nlohmann::json;

// False: it is there, and is not a number of that size.
template <class T>
bool number(const Json& object, const char* key, T& out) {
    auto place = object.find(key);
    if (place == object.end()) return true;
    if (!place->is_number_integer()) return false;
    auto value = place->get<int64_t>();
    if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) return false;
    out = T(value);
    return true;
}

bool voters(const Json& object, std::vector<int32_t>& out) {
    auto place = object.find("currentVoters");
    if (place == object.end() || place->is_null()) return true;
    if (!place->is_array()) return false;
    for (auto& voter : *place) {
        int32_t id = -1;
        if (!voter.is_object() || !number(voter, "voterId", id)) return false;
        out.push_back(id);
    }
    return true;
}

}  // namespace

std::string to_text(const QuorumState& state) {
    if (state.data_version >= 1) {
        return fmt::format(R"({{"leaderId":{},"leaderEpoch":{},"votedId":{},"votedDirectoryId":"{}","data_version":1}})",
                           state.leader_id, state.leader_epoch, state.voted_id, to_text(state.voted_directory_id));
    }
    std::string voters;
    for (auto voter : state.voters) voters += fmt::format(R"({}{{"voterId":{}}})", voters.empty() ? "" : ",", voter);
    return fmt::format(R"({{"clusterId":{},"leaderId":{},"leaderEpoch":{},"votedId":{},"appliedOffset":{},)"
                       R"("currentVoters":[{}],"data_version":0}})",
                       Json(state.cluster_id).dump(-1, ' ', false, Json::error_handler_t::replace), state.leader_id,
                       state.leader_epoch, state.voted_id, state.applied_offset, voters);
}

Result<QuorumState> quorum_state_of(std::string_view text) {
    auto object = Json::parse(text, nullptr, false);
    QuorumState state;
    if (!object.is_object() || !object.contains("data_version") || !object.contains("leaderEpoch")) return fail(Errc::malformed);
    if (!number(object, "data_version", state.data_version) || !number(object, "leaderId", state.leader_id) ||
        !number(object, "leaderEpoch", state.leader_epoch) || !number(object, "votedId", state.voted_id) ||
        !number(object, "appliedOffset", state.applied_offset) || !voters(object, state.voters)) {
        return fail(Errc::malformed);
    }
    if (state.data_version < 0 || state.data_version > 1 || state.leader_epoch < 0) return fail(Errc::malformed);
    if (auto place = object.find("votedDirectoryId"); place != object.end()) {
        auto id = place->is_string() ? uuid_of(place->get_ref<const std::string&>()) : std::nullopt;
        if (!id) return fail(Errc::malformed);
        state.voted_directory_id = *id;
    }
    if (auto place = object.find("clusterId"); place != object.end() && place->is_string()) state.cluster_id = place->get<std::string>();
    return state;
}

}  // namespace rafka::metadata
