// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The flags of qopt. OptTable and not cl::opt: libLLVM and libMLIR register
// some 2,700 of the latter, "threads" among them.
include "llvm/Option/OptParser.td"

class F<string name, string help> : Flag<["--"], name>, HelpText<help>;

// --name=value, and --name value.
multiclass Eq<string name, string help, string meta> {
  def NAME : Joined<["--"], name # "=">, HelpText<help>, MetaVarName<meta>;
  def NAME # _sep : Separate<["--"], name>, Alias<!cast<Joined>(NAME)>;
}

def help : F<"help", "Show this text">;
def h : Flag<["-"], "h">, Alias<help>;
def version : F<"version", "Show the version">;

def o : JoinedOrSeparate<["-"], "o">, MetaVarName<"<file>">,
  HelpText<"The output: the file itself with one kind of output, else the stem">;
defm emit : Eq<"emit", "Comma list of obj, asm, llvm, mlir[:level], lib, a, exe, header, report, qcal, onnx-qdq, report-html, tosa, scales", "<kinds>">;
defm name : Eq<"name", "The C name of the model (default: the output's stem)", "<name>">;
defm calibrate : Eq<"calibrate", "Calibration data: folder (arrays or images), .npy, .npz, IDX, .qcal, raw:TYPE:SHAPE:FILE, or random:uniform:LO:HI,n=N", "<data>">;
defm limit : Eq<"limit", "Use this many samples at most", "<n>">;
defm seed : Eq<"seed", "Draw the samples of --limit at random, by this number", "<n>">;
defm shard : Eq<"shard", "Use samples i, i+n, i+2n, ... (calibrate only)", "<i/n>">;
defm input : Eq<"input", "Normalize 8-bit samples: x:u8,mean=M,std=S or x:u8,scale=S,bias=B; images: x:image,resize=256,crop=224,mean=M,std=S; always the same: x:value=V", "<spec>">;
defm shape : Eq<"shape", "Bind an input's shape: x=1x3x224x224", "<shape>">;
defm inputs : Eq<"inputs", "Cut the model: these values become its inputs", "<names>">;
defm outputs : Eq<"outputs", "Cut the model: these values become its outputs", "<names>">;
defm mode : Eq<"mode", "static (default), dynamic: scales are found at run time, or weights: activations stay float, no object", "<mode>">;
defm range : Eq<"range", "How ranges are chosen: auto (default), mse, minmax, mean-minmax, percentile:99.99, entropy", "<method>">;
defm scales : Eq<"scales", "real (default), or pow2: each scale is a power of two", "<kind>">;
defm config : Eq<"config", "What holds for single values, and for all where no flag says otherwise (YAML)", "<file>">;
defm save_config : Eq<"save-config", "Write what was decided for each value as such a file", "<file>">;
defm weights : Eq<"weights", "per-channel|per-tensor,sym,bits=8", "<list>">;
defm weight_bits : Eq<"weight-bits", "Bits of weights: 8 (default), 4, 2, or auto: 4 where that leaves --target-sqnr; depthwise layers keep 8", "<8|4|2|auto>">;
defm weight_group : Eq<"weight-group", "Input channels whose weights of 4 or 2 bits share a multiple of the channel's scale; 0 (default): no groups", "<n>">;
defm weight_rounding : Eq<"weight-rounding", "Round weights by layers' outputs on calibration samples where that helps: auto (default), adaround (slower: weights move until none gains), or nearest", "<auto|adaround|nearest>">;
defm weight_scaling : Eq<"weight-scaling", "awq: channels that meet large inputs get finer weights of 4 or 2 bits where that helps on calibration samples; off (default)", "<off|awq>">;
defm max_slowdown : Eq<"max-slowdown", "How much slower more than 8 bits may make the model, predicted: 1.3 (default); 1 for none", "<factor>">;
defm target_sqnr : Eq<"target-sqnr", "SQNR in dB at which activations need no more bits: 44 (default)", "<dB>">;
defm bias_correction : Eq<"bias-correction", "Correct layers' means on calibration samples: on (default) or off", "<on|off>">;
defm fuse_activations : Eq<"fuse-activations", "Make clamps (ReLU, ReLU6) part of the layer before them: on (default); off to see what that is worth", "<on|off>">;
defm activations : Eq<"activations", "asym|sym,bits=8", "<list>">;
defm io : Eq<"io", "The boundary: float (helpers), int (none), int8 (none, int8 outputs)", "<kind>">;
defm target : Eq<"target", "Target triple (x86-64)", "<triple>">;
defm mcpu : Eq<"mcpu", "Target CPU: host (default) or an LLVM name; several make one object with code for each", "<cpus>">;
defm threads : Eq<"threads", "The most threads the object may use (1)", "<n>">;
defm tune : Eq<"tune", "Measure on this machine how products are best cut, and write that for --plan", "<file>">;
defm plan : Eq<"plan", "Cut products as such a file says; results do not depend on it", "<file>">;
defm jobs : Eq<"jobs", "Threads of the compiler itself; results do not depend on it", "<n>">;
def timing : F<"timing", "Print the time of each phase; the report has it too">;
defm eval : Eq<"eval", "Labelled data: .npz with label or ref, or images,labels", "<data>">;
defm eval_limit : Eq<"eval-limit", "Use this many samples of --eval at most", "<n>">;
defm max_drop : Eq<"max-drop", "Fail (exit code 6) where accuracy on --eval is more than this many points below float, after a search for more bits", "<points>">;
def force : F<"force", "Write the files although --max-drop is missed">;
defm simulate : Eq<"simulate", "Run --eval in place of an object: integer (as the object, by the reference evaluator), or float (fake quantization)", "<kind>">;
defm model : Eq<"model", "The model that 'show --values' reads", "<file>">;
def values : F<"values", "Print float, integer and dequantized weights (show only)">;
def json : F<"json", "Write JSON (inspect, compare and weights)">;
def nodes : F<"nodes", "List each node with its shapes (inspect only)">;
