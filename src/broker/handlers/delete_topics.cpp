#include "broker/broker.hpp"
#include "broker/handlers/handlers.hpp"
#include "protocol/messages/delete_topics.hpp"

#include <algorithm>
#include <map>
#include <vector>

namespace rafka::broker::handlers {

namespace {

using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using protocol::ErrorCode;
using rafka::metadata::TopicDeletion;

// What is asked for, once each; wrong ones have their answer already.
struct Deletions {
    std::vector<TopicDeletion> topics;
    std::vector<DeleteTopicsResponse::Topic> refused;

    void refuse(std::optional<std::string_view> name, const Uuid& id, ErrorCode error, std::string_view message) {
        DeleteTopicsResponse::Topic topic;
        topic.name = name;
        topic.topic_id = id;
        topic.error_code = error;
        topic.error_message = message;
        refused.push_back(topic);
    }
};

Deletions collect(const DeleteTopicsRequest& message, const rafka::metadata::Image& image) {
    Deletions deletions;
    std::map<std::string_view, size_t> names;
    std::map<Uuid, size_t> ids;
    for (auto name : message.topic_names) ++names[name];
    for (auto& topic : message.topics) {
        bool has_id = !topic.topic_id.is_zero();
        if (!topic.name && !has_id) {
            deletions.refuse(std::nullopt, {}, ErrorCode::invalid_request, "Neither topic name nor id were specified.");
        } else if (topic.name && has_id) {
            deletions.refuse(topic.name, topic.topic_id, ErrorCode::invalid_request, "You may not specify both topic name and topic id.");
        } else if (topic.name) {
            ++names[*topic.name];
        } else {
            ++ids[topic.topic_id];
        }
    }
    for (auto& [name, count] : names) {
        auto* topic = image.topic(name);
        auto same = topic ? ids.find(topic->id) : ids.end();
        if (count > 1) {
            deletions.refuse(name, {}, ErrorCode::invalid_request, "Duplicate topic name.");
        } else if (same != ids.end()) {
            deletions.refuse(name, topic->id, ErrorCode::invalid_request, "The provided topic name maps to an ID that was already supplied.");
            ids.erase(same);
        } else {
            deletions.topics.push_back({std::string(name), {}});
        }
    }
    for (auto& [id, count] : ids) {
        if (count > 1) deletions.refuse(std::nullopt, id, ErrorCode::invalid_request, "Duplicate topic id.");
        else deletions.topics.push_back({std::nullopt, id});
    }
    return deletions;
}

void refuse_all(const DeleteTopicsRequest& message, Request& request) {
    auto error = request.version() < 3 ? ErrorCode::invalid_request : ErrorCode::topic_deletion_disabled;
    wire::ArrayBuilder<DeleteTopicsResponse::Topic> topics(request.arena);
    auto add = [&](std::optional<std::string_view> name, const Uuid& id) {
        DeleteTopicsResponse::Topic topic;
        topic.name = name;
        topic.topic_id = id;
        topic.error_code = error;
        topic.error_message = "Topic deletion is disabled.";
        topics.push(topic);
    };
    for (auto name : message.topic_names) add(name, {});
    for (auto& topic : message.topics) add(topic.name, topic.topic_id);
    DeleteTopicsResponse response;
    response.responses = topics.take();
    answer(request, response);
}

}  // namespace

Task<Result<>> delete_topics(Shard& shard, Request& request) {
    CO_TRY(auto message, parse<DeleteTopicsRequest>(request));
    auto& broker = shard.broker;
    if (!broker.config().delete_topics) {
        refuse_all(message, request);
        co_return Result<>();
    }
    auto image = shard.image;  // As it was: deleted topics have their names in it.
    auto deletions = collect(message, *image);
    auto asked = deletions.topics;
    std::vector<rafka::metadata::Answer> results;
    if (!asked.empty()) {
        results = co_await call_on(broker.home(), broker.controller().delete_topics(std::move(deletions.topics)));
    }

    wire::ArrayBuilder<DeleteTopicsResponse::Topic> answers(request.arena);
    for (size_t i = 0; i < results.size(); ++i) {
        DeleteTopicsResponse::Topic topic;
        topic.error_code = ErrorCode(results[i].error);
        if (!results[i].message.empty()) topic.error_message = request.arena.copy(results[i].message);
        auto* known = asked[i].name ? image->topic(std::string_view(*asked[i].name)) : image->topic(asked[i].id);
        topic.topic_id = asked[i].name && known && topic.error_code == ErrorCode::none ? known->id : asked[i].id;
        if (asked[i].name) topic.name = request.arena.copy(*asked[i].name);
        else if (known) topic.name = request.arena.copy(known->name);
        answers.push(topic);
    }
    for (auto& topic : deletions.refused) answers.push(topic);
    DeleteTopicsResponse response;
    response.responses = answers.take();
    answer(request, response);
    co_return Result<>();
}

}  // namespace rafka::broker::handlers
