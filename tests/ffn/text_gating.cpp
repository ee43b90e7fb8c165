#include <tamis/ffn/text_gating.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>

namespace text_gating_test {

// Gatings as text: each is the one that its name and numbers say.

namespace {

using known_gatings =
    tamis::gatings<tamis::silu, tamis::gelu, tamis::gelu_tanh, tamis::relu, tamis::relu2, tamis::linear,
                   tamis::clipped_swiglu, tamis::limited_silu, tamis::sparse_gelu, tamis::xielu>;

template <class G>
const G* read_as(const char* text) {
    static auto read = tamis::read_gating(known_gatings{}, "");
    read = tamis::read_gating(known_gatings{}, text);
    return read.value ? std::get_if<G>(&*read.value) : nullptr;
}

} // namespace

TEST_CASE("gatings are read by name and numbers") {
    CHECK(read_as<tamis::silu>("silu") != nullptr);
    CHECK(read_as<tamis::gelu>("gelu") != nullptr);
    CHECK(read_as<tamis::gelu_tanh>("gelu_tanh") != nullptr);
    CHECK(read_as<tamis::relu>("relu") != nullptr);
    CHECK(read_as<tamis::relu2>("relu2") != nullptr);
    CHECK(read_as<tamis::linear>("linear") != nullptr);
    const auto* const limited = read_as<tamis::limited_silu>("limited_silu(2.5)");
    REQUIRE(limited != nullptr);
    CHECK(limited->of_up(9) == 2.5f);
    const auto* clipped = read_as<tamis::clipped_swiglu>("clipped_swiglu");
    REQUIRE(clipped != nullptr);
    CHECK(clipped->of_up(9) == 8.0f);
    clipped = read_as<tamis::clipped_swiglu>("clipped_swiglu(1.5,3)");
    REQUIRE(clipped != nullptr);
    CHECK(clipped->of_up(9) == 4.0f);
    const auto* const sparse = read_as<tamis::sparse_gelu>("sparse_gelu(.95)");
    REQUIRE(sparse != nullptr);
    CHECK(std::fabs(sparse->k() - 1.6448536f) < 1e-6f);
    const float gates[]{-1, 0, 1};
    const auto cutoff = [&](const char* text) { return read_as<tamis::sparse_gelu>(text)->cutoff_of(gates); };
    CHECK(std::fabs(cutoff("sparse_gelu(.95)") - 1.6448536f * std::sqrt(2.0f / 3)) < 1e-5f);
    CHECK(std::fabs(cutoff("sparse_gelu(.95,sample)") - 1.6448536f) < 1e-5f);
    const auto* const learnt = read_as<tamis::xielu>("xielu(0.8,0.7)");
    REQUIRE(learnt != nullptr);
    CHECK(learnt->alpha_p() == tamis::xielu{0.8f, 0.7f}.alpha_p());
    CHECK(learnt->alpha_n() == tamis::xielu{0.8f, 0.7f}.alpha_n());
}

TEST_CASE("what is no gating, or is written in another way, is said with those that there are") {
    for (const char* text : {"",
                             "swish",
                             "silu()",
                             "silu(1)",
                             "silu(",
                             "silu)",
                             "limited_silu",
                             "limited_silu(1,2)",
                             "limited_silu(x)",
                             "limited_silu(1",
                             "limited_silu(1,)",
                             "limited_silu(,1)",
                             "limited_silu(sample)",
                             "clipped_swiglu(1)",
                             "sparse_gelu(.95,all)",
                             "sparse_gelu(sample)",
                             "xielu(1,2,3)",
                             "xielu(1,2,3,4,5)",
                             "xielu(,)",
                             "(1)",
                             "relu "}) {
        const auto read = tamis::read_gating(known_gatings{}, text);
        CAPTURE(std::string{text});
        CHECK_FALSE(read.value.has_value());
        CHECK(read.error.find("there is no gating '" + std::string{text} + "'; there are silu, gelu,") !=
              std::string::npos);
        CHECK(read.error.find("limited_silu(limit)") != std::string::npos);
    }
    CHECK(tamis::read_gating(tamis::gatings<tamis::relu>{}, "silu").error ==
          "tamis: there is no gating 'silu'; there are relu");
    CHECK_THROWS_AS(tamis::read_gating(known_gatings{}, "limited_silu(-1)"), std::invalid_argument);
}

} // namespace text_gating_test
