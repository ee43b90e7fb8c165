#pragma once

#include "input/subject.hpp"
#include "options.hpp"
#include "output/provenance.hpp"

#include <tamis/study/calibrate/calibration.hpp>

namespace app {

/// How the results of this run about a subject came into being. Reads the files once more, for their SHA-256.
provenance provenance_of(const common_options& o, const subject& s);
/// Of a run that is about no model.
provenance provenance_of(const common_options& o);

/// Says in a calibration what it was made from, so that it can be told whether it belongs to a model.
void say_origin(tamis::study::calibration& c, const common_options& o, const subject& s);

/// Notes that a calibration, of the file `path`, was made from other weights than the subject's, or chosen on a text that is measured
/// now.
void note_origin(remarks& notes, const tamis::study::calibration& c, const std::string& path,
                 const common_options& o, const subject& s);

} // namespace app
