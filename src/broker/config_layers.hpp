#pragma once

// The layers of configuration as of one image: dynamic settings of this broker, of all brokers, the config file's, and
// of a topic. Made where they are needed; holds copies.

#include "metadata/config_table.hpp"
#include "metadata/image.hpp"

#include <string>
#include <string_view>

namespace rafka::broker {

class ConfigLayers {
public:
    // `static_configs` is borrowed.
    ConfigLayers(const metadata::Image& image, int32_t node_id, const metadata::ConfigMap& static_configs)
        : dynamic_broker_(set_for(image, metadata::ResourceType::broker, std::to_string(node_id))),
          dynamic_default_(set_for(image, metadata::ResourceType::broker, "")),
          static_(static_configs) {}
    ConfigLayers(const ConfigLayers&) = delete;
    ConfigLayers& operator=(const ConfigLayers&) = delete;

    metadata::BrokerConfigs broker() const { return {dynamic_broker_, dynamic_default_, static_}; }

    // What was set for one resource itself.
    static metadata::ConfigMap set_for(const metadata::Image& image, metadata::ResourceType type, std::string_view name) {
        metadata::ConfigMap values;
        if (auto* config = image.config(type, name)) values.insert(config->values.begin(), config->values.end());
        return values;
    }

private:
    metadata::ConfigMap dynamic_broker_;
    metadata::ConfigMap dynamic_default_;
    const metadata::ConfigMap& static_;
};

}  // namespace rafka::broker
