// llama.cpp's speed on two threads by its own library, of which node-llama-cpp brings a build:
//   npm i node-llama-cpp --ignore-scripts; L=node_modules/@node-llama-cpp/linux-x64/bins/linux-x64
//   gcc -O2 llama_speed.c -o llama_speed $L/libllama.v*.so $L/libggml.v*.so $L/libggml-base.so -lm -Wl,--allow-shlib-undefined
//   LD_LIBRARY_PATH=$L ./llama_speed MODEL.gguf 512 128 5     prompt, tokens written, repetitions; mean and deviation
// There are no headers there: parameter structures are larger than any version's, and only their first fields are touched.
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <math.h>
struct mparams{char b[512];}; struct cparams{uint32_t n_ctx,n_batch,n_ubatch,n_seq_max; union { struct {int32_t n_threads,n_threads_batch;}; }; char b[1000];};
struct batch{int32_t n;int32_t pad;void*p[6];};
struct mparams llama_model_default_params(void); struct cparams llama_context_default_params(void);
void*llama_model_load_from_file(const char*,struct mparams); void*llama_init_from_model(void*,struct cparams);
struct batch llama_batch_get_one(int32_t*,int32_t); int32_t llama_decode(void*,struct batch); void*llama_get_memory(void*); void llama_memory_clear(void*,bool); void llama_backend_init(void); void ggml_backend_load_all_from_path(const char*); float* llama_get_logits_ith(void*,int32_t);
void llama_log_set(void(*)(int,const char*,void*),void*); static void nolog(int l,const char*t,void*u){ if(getenv("V")) fputs(t,stderr);} void llama_synchronize(void*); void llama_set_n_threads(void*,int,int);
static double now(){struct timespec t;clock_gettime(CLOCK_MONOTONIC,&t);return t.tv_sec+t.tv_nsec/1e9;}
int main(int c,char**v){ int P=atoi(v[2]),N=atoi(v[3]),R=atoi(v[4]); llama_log_set(nolog,0); ggml_backend_load_all_from_path(getenv("LD_LIBRARY_PATH")); llama_backend_init();
 struct mparams mp=llama_model_default_params(); void*m=llama_model_load_from_file(v[1],mp); struct cparams cp; memset(&cp,0,sizeof cp); cp=llama_context_default_params();
 if(getenv("V")) fprintf(stderr,"%u %u %u %u\n",cp.n_ctx,cp.n_batch,cp.n_ubatch,cp.n_seq_max);
 cp.n_ctx=1024;cp.n_batch=512;cp.n_ubatch=512; void*x=llama_init_from_model(m,cp); llama_set_n_threads(x,2,2); int32_t t[2048]; for(int i=0;i<2048;i++)t[i]=300+(i*7919)%20000;
 double s=0,ss=0,bp=0; for(int r=0;r<=R&&P;r++){llama_memory_clear(llama_get_memory(x),true);double a=now();llama_decode(x,llama_batch_get_one(t,P));llama_synchronize(x);llama_get_logits_ith(x,-1);double q=P/(now()-a);if(r){s+=q;ss+=q*q;}}
 if(P) printf("%s pp%d %.1f ± %.1f",strrchr(v[1],'/')+1,P,s/R,sqrt(fmax(0,(ss-s*s/R)/(R-1)))); s=ss=0;
 for(int r=0;r<=R&&N;r++){llama_memory_clear(llama_get_memory(x),true);double a=now();for(int i=0;i<(r?N:16);i++){if(llama_decode(x,llama_batch_get_one(t+i,1)))return 1;llama_synchronize(x);llama_get_logits_ith(x,-1);}double q=(r?N:16)/(now()-a);if(r){s+=q;ss+=q*q;}}
 if(N) printf("  tg%d %.1f ± %.1f\n",N,s/R,sqrt(fmax(0,(ss-s*s/R)/(R-1)))); puts(""); fflush(stdout); _Exit(0);}
