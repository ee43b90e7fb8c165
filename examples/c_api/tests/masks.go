// The C interface from Go: goroutines make masks by one rule, each with memory of its own, and a layer is compared with a plain loop.
package main

/*
#include "tamis.h"
*/
import "C"

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"
	"unsafe"
)

// What the library says is wrong, as an error of Go; goroutines may move between threads, for the text is in the caller's memory.
func said(code C.tamis_result, text *[C.TAMIS_ERROR_BYTES]C.char) error {
	if code == C.TAMIS_OK {
		return nil
	}
	return fmt.Errorf("%d: %s", int(code), C.GoString(&text[0]))
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func newRule(text string) (*C.tamis_rule, error) {
	var rule *C.tamis_rule
	var why [C.TAMIS_ERROR_BYTES]C.char
	words := append([]byte(text), 0)
	code := C.tamis_rule_new((*C.char)(unsafe.Pointer(&words[0])), nil, 0, &rule, &why[0])
	return rule, said(code, &why)
}

// The mask of a vector: a bit an entry.
func mask(rule *C.tamis_rule, x []float32) ([]uint64, error) {
	var why [C.TAMIS_ERROR_BYTES]C.char
	var bytes C.size_t
	n := C.size_t(len(x))
	if err := said(C.tamis_rule_workspace(rule, C.TAMIS_F32, n, &bytes, &why[0]), &why); err != nil {
		return nil, err
	}
	words, memory := make([]uint64, (len(x)+63)/64), make([]byte, bytes)
	code := C.tamis_rule_mask(rule, C.TAMIS_F32, unsafe.Pointer(&x[0]), 1, n, n, 1, (*C.uint64_t)(unsafe.Pointer(&words[0])),
		C.size_t(len(words)), unsafe.Pointer(&memory[0]), bytes, nil, &why[0])
	return words, said(code, &why)
}

// y = W x by a layer over Go's memory, which is pinned meanwhile.
func product(w, x []float32, inputs, outputs int) ([]float32, error) {
	var why [C.TAMIS_ERROR_BYTES]C.char
	var pins runtime.Pinner
	defer pins.Unpin()
	format := C.CString("f32")
	y := make([]float32, outputs)
	pins.Pin(&w[0])
	pins.Pin(&x[0])
	pins.Pin(&y[0])
	matrix := C.tamis_matrix{format, C.TAMIS_OUTPUT_MAJOR, unsafe.Pointer(&w[0]), C.size_t(outputs), C.size_t(inputs), 0}
	var layer *C.tamis_layer
	if err := said(C.tamis_linear_new(&matrix, nil, nil, nil, 0, &layer, &why[0]), &why); err != nil {
		return nil, err
	}
	defer C.tamis_layer_free(layer)
	var bytes C.size_t
	if err := said(C.tamis_layer_workspace(layer, 1, 1, &bytes, &why[0]), &why); err != nil {
		return nil, err
	}
	memory := make([]byte, bytes)
	pins.Pin(&memory[0])
	call := C.tamis_call{size: C.sizeof_tamis_call, _type: C.TAMIS_F32, x: unsafe.Pointer(&x[0]), y: unsafe.Pointer(&y[0]), tokens: 1,
		workspace: unsafe.Pointer(&memory[0]), workspace_bytes: bytes}
	return y, said(C.tamis_layer_run(layer, &call, &why[0]), &why)
}

func main() {
	rule, err := newRule("top_k=3")
	check(err)
	defer C.tamis_rule_free(rule)
	var all sync.WaitGroup
	for k := 0; k < 8; k++ {
		all.Add(1)
		go func() {
			defer all.Done()
			x := make([]float32, 100)
			for i := range x {
				x[i] = float32((i*37 + k) % 101)
			}
			words, err := mask(rule, x)
			check(err)
			for i, value := range x {
				above := 0
				for _, other := range x {
					if other > value {
						above++
					}
				}
				if (words[i/64]>>(i%64)&1 != 0) != (above < 3) {
					check(fmt.Errorf("entry %d of mask %d is wrong", i, k))
				}
			}
		}()
	}
	all.Wait()

	const inputs, outputs = 70, 9
	w, x := make([]float32, inputs*outputs), make([]float32, inputs)
	for i := range w {
		w[i] = float32(i%13 - 6)
	}
	for i := range x {
		x[i] = float32(i%7 - 3)
	}
	y, err := product(w, x, inputs, outputs)
	check(err)
	for o := range y {
		sum := 0.0
		for i := range x {
			sum += float64(w[o*inputs+i] * x[i])
		}
		if math.Abs(float64(y[o])-sum) > 1e-3 {
			check(fmt.Errorf("output %d is %g, not %g", o, y[o], sum))
		}
	}

	if _, err = newRule("top_q=1"); err == nil {
		check(fmt.Errorf("a rule that there is not was made"))
	}
	fmt.Printf("tamis from Go, %s\n%v\n", C.GoString(C.tamis_level()), err)
}
