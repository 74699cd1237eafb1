// Operations of decoding, to be registered: each takes its kernel's own data, which it has none of, and a run's context.
#pragma once
#include "tensorflow.h"

namespace dragoman {

void packOperation(void*, TF_OpKernelContext* context);
void linearOperation(void*, TF_OpKernelContext* context);
void decoderStepOperation(void*, TF_OpKernelContext* context);
void bestOperation(void*, TF_OpKernelContext* context);

}  // namespace dragoman
