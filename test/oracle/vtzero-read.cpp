// Reads tiles with vtzero, all layers, attributes and geometries, as strictly as it does: what a second reader makes of ours.
// stdin: uint32 length (little-endian) and the tile, again and again. Prints a line for each: what is wrong, or `ok` and
// layers, features, attributes and points.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vtzero/vector_tile.hpp>

struct Points {
  std::size_t n = 0;
  void points_begin(std::uint32_t) {}
  void points_point(vtzero::point) { ++n; }
  void points_end() {}
  void linestring_begin(std::uint32_t) {}
  void linestring_point(vtzero::point) { ++n; }
  void linestring_end() {}
  void ring_begin(std::uint32_t) {}
  void ring_point(vtzero::point) { ++n; }
  void ring_end(vtzero::ring_type type) {
    if (type == vtzero::ring_type::invalid) throw vtzero::geometry_exception{"a ring without area"};
  }
};

static std::string read(const std::string& data) {
  std::size_t layers = 0, features = 0, attributes = 0;
  Points points;
  try {
    vtzero::vector_tile tile{data};
    while (auto layer = tile.next_layer()) {
      if (layer.version() != 2) return "version of layer";
      ++layers;
      while (auto feature = layer.next_feature()) {
        ++features;
        while (auto property = feature.next_property()) {
          (void)property.key();
          if (property.value().type() == vtzero::property_value_type{}) return "value type";
          ++attributes;
        }
        vtzero::decode_geometry(feature.geometry(), points);
      }
    }
  } catch (const std::exception& error) {
    return error.what();
  }
  return "ok " + std::to_string(layers) + " " + std::to_string(features) + " " + std::to_string(attributes) + " " +
         std::to_string(points.n);
}

int main() {
  std::uint32_t length;
  std::string data;
  while (std::fread(&length, 4, 1, stdin) == 1) {
    data.resize(length);
    if (length > 0 && std::fread(&data[0], 1, length, stdin) != length) return 1;
    std::puts(read(data).c_str());
  }
}
