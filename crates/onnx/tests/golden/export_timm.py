import sys, os, time, torch, timm, traceback, numpy as np, warnings, logging, json
warnings.filterwarnings("ignore"); logging.disable(logging.WARNING)
from safetensors.numpy import save_file
torch.set_num_threads(1)
MODELS="""resnet18 deit_tiny_patch16_224 convnext_atto swin_tiny_patch4_window7_224 efficientnet_b0 mobilenetv3_small_050 mobilenetv2_050 densenet121 vgg11 resnext50_32x4d regnety_002 regnetx_002
mobilenetv4_conv_small_035 mnasnet_small ghostnet_050 inception_v3 inception_v4 xception41 vit_tiny_patch16_224 beit_base_patch16_224 swinv2_cr_tiny_ns_224 swinv2_tiny_window8_256 convnextv2_atto convit_tiny
mixer_s32_224 gmixer_24_224 gmlp_s16_224 resmlp_12_224 poolformer_s12 cait_xxs24_224 crossvit_tiny_240 coat_tiny levit_128s pit_ti_224 pvt_v2_b0 tnt_s_legacy_patch16_224 twins_svt_small twins_pcpvt_small
maxvit_pico_rw_256 eva02_tiny_patch14_224 vit_small_patch14_dinov2 hrnet_w18_small dla34 dpn48b senet154 seresnet18 legacy_seresnet18 resnest14d res2net50_26w_4s nf_resnet26 dm_nfnet_f0 nfnet_l0 repvgg_a0 hardcorenas_a tresnet_m
ese_vovnet19b_slim edgenext_xx_small efficientformer_l1 efficientformerv2_s0 fastvit_t8 mobilevit_xxs mobilevitv2_050 nest_tiny volo_d1_224 xcit_nano_12_p16_224 davit_tiny efficientvit_b0 efficientvit_m0
focalnet_tiny_srf gcvit_xxtiny ghostnetv2_100 hgnet_tiny hgnetv2_b0 inception_next_atto inception_resnet_v2 lcnet_035 mambaout_femto metaformer caformer_s18 convformer_s18 mvitv2_tiny nextvit_small pnasnet5large nasnetalarge rdnet_tiny repghostnet_050 repvit_m0_9 rexnet_100 selecsls42 sequencer2d_s shvit_s1 starnet_s1 swiftformer_xs tiny_vit_5m_224 tinynet_e tf_efficientnet_lite0 tf_efficientnetv2_b0 visformer_tiny vitamin_small_224 vit_relpos_small_patch16_224 vit_srelpos_small_patch16_224 vovnet39a skresnet18 cspresnet50 cspdarknet53 darknet53 gernet_s eca_botnext26ts_256 halonet26t lambda_resnet26t coatnet_pico_rw_224 hieradet_small hiera_tiny_224 xception65 resnetv2_50 resnetv2_50x1_bit sknet levit_conv_128s bat_resnext26ts fbnetc_100 spnasnet_100 semnasnet_075 mixnet_s deit3_small_patch16_224 deit_tiny_distilled_patch16_224 naflexvit_base_patch16_gap csatv2 fasternet_t0 mobileone_s0 ese_vovnet39b resnet50_clip vit_base_patch32_clip_224 vit_pwee_patch16_reg1_gap_256 samvit_base_patch16_224""".split()
out=sys.argv[1]; kinds=sys.argv[2].split(","); only=sys.argv[3:] or MODELS
for name in only:
    for kind in kinds:
        path=f"{out}/{name}.{kind}.onnx"
        if os.path.exists(path+".json"): continue
        t=time.time()
        try:
            torch.manual_seed(0)
            m=timm.create_model(name,pretrained=False,num_classes=100).eval()
            s=m.pretrained_cfg.get('test_input_size') if False else m.pretrained_cfg['input_size']
            g=torch.Generator().manual_seed(1)
            # randomise norms and biases a little so that nothing is trivially zero
            for n,p in m.named_parameters():
                if p.ndim<=1: p.data.add_(0.1*torch.randn(p.shape,generator=g)) if p.ndim else None
                if 'gamma' in n or 'layer_scale' in n or 'ls1' in n or 'ls2' in n: p.data.fill_(0.5)
            for n,b in m.named_buffers():
                if n.endswith('running_mean'): b.add_(0.1*torch.randn(b.shape,generator=g))
                if n.endswith('running_var'): b.mul_(1+0.2*torch.rand(b.shape,generator=g))
            x=torch.rand((2,*s),generator=g)*2-1
            with torch.no_grad(): y=m(x)
            fixed='fixed' in kind
            if kind.startswith('legacy'):
                torch.onnx.export(m,x[:1],path,dynamo=False,input_names=['input'],output_names=['logits'],dynamic_axes=None if fixed else {'input':{0:'batch'},'logits':{0:'batch'}})
            else:
                b=torch.export.Dim('batch',min=1,max=64)
                torch.onnx.export(m,(x if not fixed else x[:1],),path,dynamo=True,input_names=['input'],output_names=['logits'],dynamic_shapes=None if fixed else ({0:b},),verbose=False)
            save_file({'x':x.numpy(),'y':y.numpy()},path+'.safetensors')
            json.dump({'ok':True,'t':time.time()-t},open(path+'.json','w'))
            print(name,kind,'ok',f"{time.time()-t:.0f}s",flush=True)
        except BaseException as e:
            if isinstance(e,KeyboardInterrupt): raise
            print(name,kind,'FAIL',str(e).replace('\n',' ')[:150],flush=True)
            json.dump({'ok':False,'e':str(e)[:300]},open(path+'.json','w'))
            for q in (path,path+'.data'):
                if os.path.exists(q): os.remove(q)
