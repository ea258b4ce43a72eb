#!/bin/sh
# Compiles a trained Fashion-MNIST network to an integer-only object and shows
# what that does to accuracy, size and speed: demo.sh BUILD_FOLDER, which is
# taken from the project's top folder.
set -eu
cd "$(dirname "$0")/../.."
build=$1
here=examples/fashion-mnist
data=/usr/share/datasets/fashion-mnist
out="$build/demo"
mkdir -p "$out"

number() { sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" "$here/meta.json"; }
input="x:u8,mean=$(number mean),std=$(number std)"

set -x
"$build/bin/qopt" "$here/resnet20.onnx" \
  --calibrate "$data/train-images-idx3-ubyte.gz" --limit 512 --input "$input" \
  --eval "$data/t10k-images-idx3-ubyte.gz,$data/t10k-labels-idx1-ubyte.gz" \
  --emit=obj,report -o "$out/resnet20.o"
{ set +x; } 2>/dev/null

cat <<TEXT

What to try next:
  less $out/resnet20.h                     the C interface of the object
  llvm-objdump-22 -d $out/resnet20.o       integer instructions only
  $build/bin/qopt show $out/resnet20.json  scale and zero point of every tensor
  $build/bin/qopt your-model.onnx --calibrate your-data/ --emit=obj
TEXT
